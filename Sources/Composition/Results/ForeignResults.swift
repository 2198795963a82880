import DomainNames
public import InternetMessage
import LookAlikes
import Octets

/// The parts of a message that could be taken for a result of ours: a text like the one that SES writes, a file named
/// like a server's answer, a field of ours in the header of a part. Each is named beside the real result. Earlier
/// results in a quoted text are among them.
public struct ForeignResults: Sendable {
    /// The decoded names of files, few.
    let fileNames: [String]
    let isInText: Bool
    /// True if the header of a part has a field that only we write.
    let isInHeader: Bool

    /// The largest number of octets of a text that are searched, and of parts of a message.
    private static let maximumOctets = 1 << 20
    private static let maximumTexts = 20
    private static let maximumNames = 5
    private static let maximumHeaders = 500

    /// - Parameters:
    ///   - layers: The message, and what its S/MIME objects enclose.
    ///   - authservID: The identifier of our Authentication-Results fields.
    ///   - domains: The organisation's domains.
    public init(
        in layers: [Message], authservID: String, domains: [String] = [], using charsets: some CharsetDecoding
    ) {
        let reserved = ReservedFields(
            names: ReservedFields.Names(authservID: authservID, domains: domains.map { CanonicalDomain($0) }))
        var names: [String] = []
        var isInText = false
        var isInHeader = false
        var texts = 0
        var headers = 0
        for (layer, message) in layers.enumerated() {
            for part in message.root.walk(.ownParts) {
                // The header of the message itself was cleaned when it came in.
                if !isInHeader, headers < Self.maximumHeaders, layer > 0 || !part.path.isEmpty {
                    headers += 1
                    isInHeader = !reserved.findings(in: part.message.slice(part.header.range)).isEmpty
                }
                guard case .leaf = part.content else { continue }
                if names.count < Self.maximumNames,
                    part.shownFileNames(using: charsets).contains(where: { $0.holds(letters: Self.fileMark) })
                {
                    names.append(
                        part.fileName(using: charsets) ?? part.everyFileName(using: charsets).first ?? "without a name")
                }
                if part.contentType.type == "text", !isInText, texts < Self.maximumTexts {
                    texts += 1
                    let charset = part.contentType.parameter("charset")?.text
                    isInText = LookAlikeResult.isFound(
                        in: part.decodedPrefix(Self.maximumOctets).array, charset: charset, using: charsets)
                }
            }
        }
        fileNames = names
        self.isInText = isInText
        self.isInHeader = isInHeader
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
        if isInHeader {
            words.append(
                "the header of a part holds what looks like a result; it came with the message and proves nothing")
        }
        return words
    }

    private static let fileMark = "verificationresponse"
}
