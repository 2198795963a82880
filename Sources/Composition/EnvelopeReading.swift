public import InternetMessage
public import Octets

extension Envelope {
    /// Reads the envelope of a file.
    ///
    /// - Parameters:
    ///   - block: The block at the head of the file; nil without one.
    ///   - header: The message's own header.
    ///   - isBare: Whether a person put the file in as a bare `*.eml`: only then do the address fields count.
    /// - Throws: ``CompositionError/Kind/damagedEnvelopeBlock``.
    public static func reading(
        block: OctetString?, header: Header, isBare: Bool
    ) throws(CompositionError) -> Envelope {
        if let block { return try EnvelopeBlock(parsing: block).envelope }
        return isBare ? fromAddressFields(header) : fromTrace(header)
    }

    /// The fields that a mail server puts on top at final delivery. They are removed if they were read as the envelope.
    /// If they stayed, they would show one recipient to the others, and a Delivered-To that comes back to its server
    /// counts as a loop there.
    static func traceFields(of header: Header) -> ArraySlice<HeaderField> {
        // Without any Received only the unbroken run at the top can have been put there at delivery.
        let end =
            header.fields.firstIndex { $0.isNamed("Received") }
            ?? header.fields.firstIndex { !$0.isDeliveryTrace } ?? header.fields.count
        return header.fields[..<end]
    }

    /// Nothing is added to a recipient without a domain: a mail server adds one only to mail of its own host, and
    /// which of several domains that is stands in its configuration (Postfix `myorigin`, Exim `qualify_domain`), not
    /// in ours.
    private static func fromTrace(_ header: Header) -> Envelope {
        let trace = traceFields(of: header)
        let sender = trace.first { $0.isNamed("Return-Path") }.flatMap { ReversePath(reading: $0.text) }
        // The address that the sender used counts before the one that an alias made of it.
        for name in ["Envelope-To", "X-Original-To", "Delivered-To"] {
            let (recipients, unreadable) = recipients(in: trace.filter { $0.isNamed(name) })
            if !recipients.isEmpty || !unreadable.isEmpty {
                return Envelope(sender: sender, recipients: recipients, source: .trace, unreadable: unreadable)
            }
        }
        return Envelope(sender: sender, recipients: [], source: .trace)
    }

    private static func fromAddressFields(_ header: Header) -> Envelope {
        let authors = ["Sender", "From"].lazy.compactMap { name in
            header.first(name).flatMap { AddressList(parsing: $0).mailboxes.first?.address }
        }
        let (recipients, unreadable) = recipients(in: ["To", "Cc", "Bcc"].flatMap { header.all($0) })
        return Envelope(
            sender: authors.first.map { .address($0) }, recipients: recipients, source: .addressFields,
            unreadable: unreadable)
    }

    private static func recipients(in fields: [HeaderField]) -> ([AddrSpec], [UnreadableText]) {
        var recipients: [AddrSpec] = []
        var unreadable: [UnreadableText] = []
        for field in fields {
            let list = AddressList(parsing: field)
            recipients += list.mailboxes.map(\.address)
            unreadable += list.unreadable.map { UnreadableText(field: field.name, text: $0) }
        }
        return (recipients, unreadable)
    }
}

extension HeaderField {
    /// True if it is one of the fields that final delivery adds.
    var isDeliveryTrace: Bool {
        ["Return-Path", "Delivered-To", "X-Original-To", "Envelope-To"].contains { isNamed($0) }
    }
}
