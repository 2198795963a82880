public import InternetMessage
import Octets

/// What of a message could be taken for a result of ours: a text like the one that SES writes, a file named like a
/// server's answer. Both are marked where the real result is shown; an earlier result in a quoted text is among them.
public struct ForeignResults: Sendable {
    /// The decoded names of files, few.
    let fileNames: [String]
    let isInText: Bool

    /// Octets of a text that are looked at, and parts of a message.
    private static let mostOctets = 1 << 20
    private static let mostTexts = 20
    private static let mostNames = 5

    public init(in message: Message) {
        var names: [String] = []
        var isInText = false
        var texts = 0
        for part in message.root.walk(.ownParts) {
            guard case .leaf = part.content else { continue }
            if names.count < Self.mostNames, let name = part.fileName(using: BuiltInCharsets()),
                Self.letters(of: name.utf8).starts(with: Self.fileMark)
            {
                names.append(name)
            }
            if part.contentType.type == "text", !isInText, texts < Self.mostTexts {
                texts += 1
                isInText = Self.holdsResult(part.decodedPrefix(Self.mostOctets).array)
            }
        }
        fileNames = names
        self.isInText = isInText
    }

    /// A sentence for each.
    public var words: [String] {
        var words = fileNames.map {
            "the attachment " + UntrustedText.quotedName($0) + " came with the message; this check did not attach it"
        }
        if isInText {
            words.append(
                "the text of the message holds what looks like another result; it came with the message and proves nothing"
            )
        }
        return words
    }

    private static let fileMark = Array("verificationresponse".utf8)
    private static let textMark = Array("signaturecheck".utf8)

    /// Whether the words of our title stand in it, whatever markup, blanks or capitals are between their letters.
    static func holdsResult(_ octets: [UInt8]) -> Bool {
        letters(of: withoutMarkup(octets)).firstOffset(of: textMark) != nil
            || letters(of: octets).firstOffset(of: textMark) != nil
    }

    private static func letters(of octets: some Sequence<UInt8>) -> [UInt8] {
        octets.compactMap { octet in
            let lower = octet.asciiLowercased
            return (0x61...0x7A).contains(lower) ? lower : nil
        }
    }

    /// Tags left out, numeric character references resolved, others left out.
    private static func withoutMarkup(_ octets: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(octets.count)
        var index = 0
        // Where none is ahead any more, none is looked for.
        var lastClose = octets.lastIndex(of: UInt8(ascii: ">")) ?? -1
        while index < octets.count {
            switch octets[index] {
            case UInt8(ascii: "<") where index < lastClose:
                guard let close = octets[index...].firstIndex(of: UInt8(ascii: ">")) else {
                    lastClose = -1
                    continue
                }
                index = close + 1
            case UInt8(ascii: "&"):
                let rest = octets[(index + 1)...].prefix(10)
                guard let end = rest.firstIndex(of: UInt8(ascii: ";")) else {
                    index += 1
                    continue
                }
                if let scalar = reference(rest[..<end]) { text.append(scalar) }
                index = end + 1
            default:
                text.append(octets[index])
                index += 1
            }
        }
        return text
    }

    /// The US-ASCII character that `#83` or `#x53` stands for.
    private static func reference(_ name: ArraySlice<UInt8>) -> UInt8? {
        guard name.first == UInt8(ascii: "#") else { return nil }
        let digits = String(decoding: name.dropFirst(), as: UTF8.self).asciiLowercased
        return digits.hasPrefix("x") ? UInt8(digits.dropFirst(), radix: 16) : UInt8(digits)
    }
}
