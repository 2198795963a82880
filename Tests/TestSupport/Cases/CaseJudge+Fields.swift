import Foundation

/// The fields that other readers find in the header of outgoing and delivered mail.
extension CaseJudge {
    /// Returns true if no header line is longer than RFC 5322 §2.1.1 allows and each field has the same content as
    /// before, apart from white space.
    func isFolded() async throws -> Bool {
        guard !finding.relayed.isEmpty else { return false }
        let message = try row.message()
        let before = Self.fields(Self.header(message, endsAtBareCR: false))
        let decoded = try await PythonReading.of(message).decodedFields
        for relayed in finding.relayed {
            let lines = Self.header(relayed, endsAtBareCR: false)
            let after = Self.fields(lines)
            guard lines.allSatisfy({ $0.count <= 998 }) else { return false }
            // What has no blank to fold at is written in encoded-words: Python reads the same text in it.
            let decodedAfter = try await PythonReading.of(relayed).decodedFields
            for field in before {
                let name = field.prefix { $0 != ":" }.lowercased()
                // The content fields are those of the signed part, and Bcc does not leave.
                if name.hasPrefix("content-") || name == "bcc" || after.contains(field) { continue }
                guard let text = decoded[name], decodedAfter[name] == text else { return false }
            }
        }
        return true
    }

    /// Returns true if no delivered mail has a field in which a reader finds a result of ours with `smime=pass`, apart
    /// from our own.
    func isFieldRemoved() async throws -> Bool {
        guard !finding.delivered.isEmpty else { return false }
        for file in finding.delivered {
            var found = try await PythonReading.of(file.message).values("Authentication-Results")
            for endsAtBareCR in [false, true] {
                let lines = Self.header(file.message, endsAtBareCR: endsAtBareCR)
                found += Self.unfolded(lines).compactMap { line in
                    line.wholeMatch(of: /(?i)\s*authentication-results\s*:(.*)/).map { String($0.1) }
                }
            }
            let own = finding.outcomes == ["verified"] ? file.header("Authentication-Results").first : nil
            for field in found where field.contains(/(?i)smime\s*=\s*pass/) {
                guard let own, Self.withoutBlanks(field) == Self.withoutBlanks(own) else { return false }
            }
        }
        return true
    }

    /// The lines up to the first empty one, whether they are fields or not.
    private static func header(_ message: [UInt8], endsAtBareCR: Bool) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        var index = message.startIndex
        while index < message.endIndex {
            let octet = message[index]
            let isBareCR = octet == 0x0D && !(index + 1 < message.endIndex && message[index + 1] == 0x0A)
            index += 1
            if octet == 0x0A || (isBareCR && endsAtBareCR) {
                if lines[lines.count - 1].last == 0x0D { lines[lines.count - 1].removeLast() }
                if lines[lines.count - 1].isEmpty { break }
                lines.append([])
            } else {
                lines[lines.count - 1].append(octet)
            }
        }
        return lines.filter { !$0.isEmpty }
    }

    private static func unfolded(_ lines: [[UInt8]]) -> [String] {
        var fields: [[UInt8]] = []
        for line in lines {
            if !fields.isEmpty, line.first == 0x20 || line.first == 0x09 {
                fields[fields.count - 1] += line
            } else {
                fields.append(line)
            }
        }
        return fields.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func fields(_ lines: [[UInt8]]) -> Set<String> { Set(unfolded(lines).map(withoutBlanks)) }

    private static func withoutBlanks(_ text: String) -> String { String(text.filter { !$0.isWhitespace }) }
}
