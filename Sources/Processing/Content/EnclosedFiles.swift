import InternetMessage
import Octets

/// Files within a part that some readers show as attachments beside those that are parts.
enum EnclosedFiles: Equatable {
    case named([ShownFileName])
    /// A container in which files may have any name.
    case unknown

    /// - Parameter part: A part of a message: text with files in uuencode or yEnc, which readers show as attachments
    ///   since before MIME, or a file of Outlook (TNEF) with its own attachments.
    init(in part: Entity) {
        let mediaType = part.contentType.mediaType
        if ["application/ms-tnef", "application/vnd.ms-tnef"].contains(mediaType) {
            self = .unknown
        } else if mediaType == "text/plain" {
            self = .named(Self.names(in: part.decodedBody).map { ShownFileName($0) })
        } else {
            self = .named([])
        }
    }

    /// The names in lines such as `begin 644 invoice.pdf` and `=ybegin line=128 size=9 name=invoice.pdf`.
    private static func names(in text: OctetString) -> [String] {
        text.withUnsafeBytes { octets in
            var names: [String] = []
            var start = 0
            while start < octets.count, names.count < maximumNames {
                let end = octets.firstLineEndOctet(from: start) ?? octets.count
                let line = octets[start..<end]
                if line.starts(with: "begin ".utf8) {
                    let words = line.dropFirst(6).split(separator: 0x20, maxSplits: 1)
                    if words.count == 2, words[0].allSatisfy({ (0x30...0x37).contains($0) }) {
                        names.append(String(decoding: words[1], as: UTF8.self))
                    }
                } else if line.starts(with: "begin-base64 ".utf8) {
                    let words = line.dropFirst(13).split(separator: 0x20, maxSplits: 1)
                    if words.count == 2 { names.append(String(decoding: words[1], as: UTF8.self)) }
                } else if line.starts(with: "=ybegin ".utf8) {
                    let text = String(decoding: line, as: UTF8.self)
                    if let name = text.firstRange(of: " name=") { names.append(String(text[name.upperBound...])) }
                }
                start = end + 1
            }
            return names
        }
    }

    private static let maximumNames = 1_000
}
