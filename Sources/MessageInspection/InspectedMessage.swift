public import InternetMessage
import Octets
public import Workflows

/// The facts that Decide may know of a message and its envelope. Each fact is found when it is first asked for, and
/// once.
public struct InspectedMessage: MessageFacts {
    private let message: Message
    private let enclosed: [Message]
    private let recipients: [AddrSpec]
    private let sender: ReversePath?
    private let found = Found()
    private let charsets = Charsets()

    /// - Parameters:
    ///   - enclosed: The content of the signed S/MIME objects in the message: their texts and attachments are the
    ///     message's.
    ///   - recipients: The envelope's; those that are in neither To nor Cc count as blind copies.
    ///   - sender: The envelope's; nil when it is not known, which is different from the null sender.
    public init(_ message: Message, enclosed: [Message] = [], recipients: [AddrSpec], sender: ReversePath?) {
        self.message = message
        self.enclosed = enclosed
        self.recipients = recipients
        self.sender = sender
    }

    /// The facts that cost more than reading a field, shared by all copies of the value.
    private final class Found: Sendable {
        let smime = ComputedOnce<SMIMEReading>()
        let parts = ComputedOnce<[MessageParts]>()
        let bodyText = ComputedOnce<String>()
        let attachments = ComputedOnce<[AttachmentFacts]>()
        let to = ComputedOnce<[NamedAddress]>()
        let cc = ComputedOnce<[NamedAddress]>()
        let from = ComputedOnce<[NamedAddress]>()
        let bcc = ComputedOnce<[NamedAddress]>()
        let unreadable = ComputedOnce<UnreadableAddresses>()
    }

    /// In which form of S/MIME the message is, if in any.
    public var smime: SMIMEForm { smimeReading.form }

    /// The same, with what was odd about it.
    public var smimeReading: SMIMEReading { found.smime.value { SMIMEReading(message.root) } }

    public var to: [NamedAddress] { found.to.value { addresses("To") } }
    public var cc: [NamedAddress] { found.cc.value { addresses("Cc") } }
    public var from: [NamedAddress] { found.from.value { addresses("From") } }

    public var bcc: [NamedAddress] {
        found.bcc.value {
            // A mailbox written in another case is still the one that To or Cc names.
            var known = Set((to + cc).map(\.key))
            var blind = addresses("Bcc")
            known.formUnion(blind.map(\.key))
            for recipient in recipients {
                let address = NamedAddress(displayName: nil, address: recipient)
                if known.insert(address.key).inserted { blind.append(address) }
            }
            return blind
        }
    }

    public var unreadable: UnreadableAddresses {
        found.unreadable.value {
            func texts(_ name: String) -> [String] { lists(name).flatMap(\.unreadable) }
            return UnreadableAddresses(from: texts("From"), to: texts("To"), cc: texts("Cc"), bcc: texts("Bcc"))
        }
    }

    public var subject: String? {
        message.header.first("Subject").map { field in
            // The fold before the first word is no part of the text.
            let text = EncodedWords.decode(field.unfoldedBody, using: charsets)
            return String(text.drop { $0 == " " || $0 == "\t" })
        }
    }

    public var bodyText: String { found.bodyText.value { TextBody.text(of: parts.flatMap(\.texts), charsets) } }

    public var isSigned: Bool { smime.isSigned }

    public var isEncrypted: Bool {
        if case .encrypted = smime { true } else { false }
    }

    public var protection: MailProtection? {
        if isSigned { return MailProtection(.signed, by: .smime) }
        if isEncrypted { return MailProtection(.encrypted, by: .smime) }
        return PGPForm.kind(of: message.root, text: { bodyText }).map { MailProtection($0, by: .pgp) }
    }

    public var attachments: [AttachmentFacts] {
        found.attachments.value {
            parts.enumerated().flatMap { layer, parts in
                parts.attachments.map { AttachmentInspection.facts(of: $0, layer: layer, charsets) }
            }
        }
    }

    public var hasNullSender: Bool { sender == .null }

    /// Of the message and of each one enclosed in it.
    private var parts: [MessageParts] {
        found.parts.value {
            ([message] + enclosed).map {
                MessageParts($0.root, isOpaque: SMIMEForm.of($0.root).isOpaque, charsets: charsets)
            }
        }
    }

    private func addresses(_ name: String) -> [NamedAddress] {
        lists(name).flatMap(\.mailboxes).map { mailbox in
            NamedAddress(
                displayName: mailbox.displayName.map { EncodedWords.decode($0, using: charsets) },
                address: mailbox.address)
        }
    }

    private func lists(_ name: String) -> [AddressList] { message.header.all(name).map { AddressList(parsing: $0) } }
}

extension NamedAddress {
    /// Equal for addresses that lead to one mailbox in every mail system there is.
    fileprivate var key: CanonicalAddress { CanonicalAddress(address) }
}
