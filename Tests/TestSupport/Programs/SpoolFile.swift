import Foundation

/// A file in one of the spool's result folders, taken apart by its name.
public struct SpoolFile: Sendable, CustomStringConvertible {
    public let path: String
    public let octets: [UInt8]
    /// The fields of the envelope block, in order, names in lower case.
    public let envelope: [(name: String, value: String)]
    /// The octets after the envelope block.
    public let message: [UInt8]

    public var name: String { String(path.split(separator: "/").last ?? "") }
    public var text: String { String(decoding: message, as: UTF8.self) }
    public var description: String { "\(name)\n\(String(decoding: octets.prefix(4_000), as: UTF8.self))" }

    /// The value of the name's part `key=`.
    public static func part(_ key: String, of name: String) -> String? {
        name.split(separator: ",").first { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
    }

    public init(path: String) throws {
        self.path = path
        octets = try TestMaterial.octets(path)
        let name = String(path.split(separator: "/").last ?? "")
        let length = Self.part("E", of: name).flatMap { Int($0) } ?? 0
        guard length <= octets.count else { throw HarnessError("\(path) is shorter than its envelope block") }
        message = Array(octets[length...])
        envelope = Self.fields(Array(octets[..<length]))
    }

    public func envelopeField(_ name: String) -> String? {
        envelope.first { $0.name == name.lowercased() }?.value
    }

    public var recipients: Set<String> {
        Set(
            envelope.filter { $0.name == "envelope-to" }.flatMap { $0.value.split(separator: ",") }
                .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " <>")) })
    }

    public var sender: String? {
        envelopeField("Return-Path").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " <>")) }
    }

    /// The values of a header field of the message, unfolded.
    public func header(_ name: String) -> [String] {
        var head: [UInt8] = []
        for line in message.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if line.isEmpty || line.elementsEqual([0x0D]) { break }
            head += line + [0x0A]
        }
        return Self.fields(head).filter { $0.name == name.lowercased() }.map(\.value)
    }

    private static func fields(_ block: [UInt8]) -> [(name: String, value: String)] {
        let text = String(decoding: block, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
            .replacingOccurrences(of: "\n ", with: " ").replacingOccurrences(of: "\n\t", with: " ")
        return text.split(separator: "\n").compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                line[..<colon].trimmingCharacters(in: .whitespaces).lowercased(),
                line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
    }
}
