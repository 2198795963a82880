/// A file's name as the system has it: octets, in no promised encoding.
public struct FileName: Hashable, Sendable {
    /// Ends with NUL.
    private let octets: [CChar]

    init(_ pointer: UnsafePointer<CChar>) {
        var length = 0
        while pointer[length] != 0 { length += 1 }
        octets = Array(UnsafeBufferPointer(start: pointer, count: length + 1))
    }

    init(_ text: String) { octets = text.utf8CString.map { $0 } }

    func withCString<Result, Failure: Error>(
        _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let octets = octets
        var outcome: Swift.Result<Result, Failure>?
        octets.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            do throws(Failure) {
                outcome = .success(try body(base))
            } catch {
                outcome = .failure(error)
            }
        }
        guard let outcome else { preconditionFailure("a file name always has its NUL") }
        return try outcome.get()
    }

    /// The name if it is ASCII text without control characters, as every name of ours is.
    var text: String? {
        let name = octets.dropLast()
        guard name.allSatisfy({ (0x20...0x7E).contains($0) }) else { return nil }
        return String(decoding: name.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func hasPrefix(_ prefix: String) -> Bool {
        octets.dropLast().starts(with: prefix.utf8.map(CChar.init(bitPattern:)))
    }

    func hasSuffix(_ suffix: String) -> Bool {
        octets.dropLast().suffix(suffix.utf8.count).elementsEqual(suffix.utf8.map(CChar.init(bitPattern:)))
    }
}

extension FileName {
    /// Returns true if the entry that a name of the spool's form gives may begin with `digits`: what stands behind the
    /// first dot does.
    func mayGiveEntry(_ digits: String) -> Bool {
        guard let dot = octets.firstIndex(of: CChar(bitPattern: UInt8(ascii: "."))) else { return false }
        return octets[(dot + 1)...].lazy.map(UInt8.init(bitPattern:)).starts(with: digits.utf8)
    }
}

extension FileName {
    /// True if it is `*.eml`, in any case: other systems write `MAIL.EML`.
    var isMessageName: Bool {
        let suffix = octets.dropLast().suffix(4).map { UInt8(bitPattern: $0) }
        return suffix.elementsEqual(".eml".utf8) { $0 == $1 || ((0x41...0x5A).contains($0) && $0 | 0x20 == $1) }
    }
}

extension FileName: CustomStringConvertible {
    /// For people and logs: characters that are not plain ASCII are escaped as `\xNN`.
    public var description: String {
        var text = ""
        for octet in octets.dropLast().map(UInt8.init(bitPattern:)) {
            if (0x20...0x7E).contains(octet) && octet != UInt8(ascii: "\\") {
                text.unicodeScalars.append(Unicode.Scalar(octet))
            } else {
                text += "\\x" + (octet < 16 ? "0" : "") + String(octet, radix: 16)
            }
        }
        return text
    }
}
