import InternetMessage
import Octets

/// Mailboxes as words of a header field (RFC 5322 §3.4).
enum AddressWords {
    /// A display name: atoms where it is nothing else, a quoted string where it must be, encoded-words beyond US-ASCII.
    static func phrase(_ name: String) -> [String] {
        let name = name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : String($0) }.joined()
        if name.contains("=?") && name.utf8.allSatisfy({ $0 < 0x80 }) && name.utf8.allSatisfy({ $0 != 0x22 }) {
            // Encoded-words that are there already; within quotes they would be none.
            let words = name.split(separator: " ").map(String.init)
            if words.allSatisfy({ $0.hasPrefix("=?") && $0.hasSuffix("?=") && $0.utf8.count <= 75 }) { return words }
        }
        if name.utf8.contains(where: { $0 >= 0x80 }) || name.contains("=?") || name.utf8.count > 200 {
            return EncodedWord.encoded(name)
        }
        let words = name.split(separator: " ").map(String.init)
        if words.allSatisfy({ $0.utf8.allSatisfy(\.isAtomOctet) }) { return words }
        var quoted = "\""
        for character in words.joined(separator: " ") {
            if character == "\"" || character == "\\" { quoted += "\\" }
            quoted.append(character)
        }
        return [quoted + "\""]
    }

    /// Mailboxes as a list; commas between.
    static func list(_ mailboxes: [Mailbox]) -> [String] {
        mailboxes.enumerated().flatMap { index, mailbox -> [String] in
            let comma = index == mailboxes.count - 1 ? "" : ","
            guard let name = mailbox.displayName, !name.isEmpty else { return [mailbox.address.description + comma] }
            return phrase(name) + ["<" + mailbox.address.description + ">" + comma]
        }
    }
}

extension UInt8 {
    /// RFC 5322 §3.2.3.
    fileprivate var isAtomOctet: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: true
        default: false
        }
    }
}
