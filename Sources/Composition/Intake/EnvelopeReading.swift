public import InternetMessage
public import Octets

extension Envelope {
    /// Reads the envelope of a file.
    ///
    /// - Parameters:
    ///   - block: The block at the head of the file; nil without one.
    ///   - header: The message's own header.
    ///   - isBare: True if a person put the file in as a bare `*.eml`: only then do the address fields count.
    ///   - behindHeader: The lines between a header that ends at a line that is no field, and the first empty line.
    /// - Throws: ``CompositionError/Kind/damagedEnvelopeBlock``.
    public static func reading(
        block: OctetString?, header: Header, isBare: Bool, behindHeader: OctetString = OctetString()
    ) throws(CompositionError) -> Envelope {
        if let block { return try EnvelopeBlock(parsing: block).envelope }
        return isBare ? fromAddressFields(header, behindHeader) : fromTrace(header)
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
        for name in ["Envelope-To", "X-Envelope-To", "X-Original-To", "Delivered-To"] {
            let (recipients, unreadable) = recipients(in: trace.filter { $0.isNamed(name) })
            if !recipients.isEmpty || !unreadable.isEmpty {
                return Envelope(sender: sender, recipients: recipients, source: .trace, unreadable: unreadable)
            }
        }
        return Envelope(sender: sender, recipients: [], source: .trace)
    }

    /// A message that was sent again goes only to the recipients of its newest Resent- fields (RFC 5322 §3.6.6), as
    /// with `sendmail -t`, Postfix and Exim: those of To, Cc and Bcc have received it already.
    private static func fromAddressFields(_ header: Header, _ behindHeader: OctetString) -> Envelope {
        let resent = newestResentFields(of: header)
        let isResent = resent.contains { field in
            ["Resent-To", "Resent-Cc", "Resent-Bcc"].contains { field.isNamed($0) }
        }
        let prefix = isResent ? "Resent-" : ""
        let fields = isResent ? resent : header.fields
        let authors = ["Sender", "From"].lazy.compactMap { name in
            fields.first { $0.isNamed(prefix + name) }.flatMap { AddressList(parsing: $0).mailboxes.first?.address }
        }
        var (recipients, unreadable) = recipients(
            in: ["To", "Cc", "Bcc"].flatMap { name in fields.filter { $0.isNamed(prefix + name) } })
        if let line = lineBeforeRecipients(behindHeader) {
            unreadable.append(UnreadableText(field: "a header line that is no field", text: line))
        }
        return Envelope(
            sender: authors.first.map { .address($0) }, recipients: recipients, source: .addressFields,
            unreadable: unreadable)
    }

    /// The Resent- fields from the last time that the message was sent again. They are above those of earlier times;
    /// each time has its own Resent-From and Resent-Date.
    private static func newestResentFields(of header: Header) -> [HeaderField] {
        var newest: [HeaderField] = []
        for field in header.fields where field.name.asciiLowercased.hasPrefix("resent-") {
            let isFirstOfBlock = ["Resent-From", "Resent-Sender", "Resent-Date", "Resent-Message-ID"].contains { name in
                field.isNamed(name) && newest.contains { $0.isNamed(name) }
            }
            if isFirstOfBlock { break }
            newest.append(field)
        }
        return newest
    }

    /// Returns the first line behind a header that ended too early, if these lines may contain recipients: a program
    /// that reads on to the empty line would send the message to them, too.
    private static func lineBeforeRecipients(_ octets: OctetString) -> String? {
        let lines = octets.text.split(whereSeparator: \.isNewline)
        let mayHoldRecipients = lines.contains { line in
            line.contains("@")
                || ["to", "cc", "bcc"].contains { name in
                    line.asciiLowercased.hasPrefix(name) && line.dropFirst(name.count).first { $0 != " " } == ":"
                }
        }
        return mayHoldRecipients ? lines.first.map(String.init) : nil
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
        ["Return-Path", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"].contains { isNamed($0) }
    }
}
