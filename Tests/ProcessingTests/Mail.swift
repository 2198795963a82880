import Composition
import DSSProtocol
import InternetMessage
import Octets
import Processing
import Workflows

/// Messages of the tests, written with LF; ``Bench`` gives them CRLF.
enum Mail {
    static let plain = """
        From: Alice <alice@example.test>
        To: bob@elsewhere.test
        Subject: Offer
        Message-ID: <one@example.test>
        Date: Mon, 23 Nov 2026 10:00:00 +0000

        Hello
        this is the text

        """

    static let signed = clearSigned()

    static let enveloped = """
        From: alice@example.test
        To: bob@elsewhere.test
        MIME-Version: 1.0
        Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m
        Content-Transfer-Encoding: base64

        MIIB

        """

    static let opaque = """
        From: alice@example.test
        To: bob@elsewhere.test
        MIME-Version: 1.0
        Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m
        Content-Transfer-Encoding: base64

        MIIB

        """

    /// - Parameter header: Fields of the signed part, beside its own Content-Type.
    static func clearSigned(
        from: String = "From: Alice <alice@example.test>", type: String = "text/plain", header: String = ""
    ) -> String {
        """
        \(from)
        To: bob@elsewhere.test
        Subject: Offer
        Message-ID: <two@example.test>
        MIME-Version: 1.0
        Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=b

        --b
        Content-Type: \(type)
        \(header.isEmpty ? "" : header + "\n")
        Hello
        --b
        Content-Type: application/pkcs7-signature; name=smime.p7s
        Content-Transfer-Encoding: base64

        MIIB
        --b--

        """
    }

    /// A signed part with something beside it, as a list server makes it.
    static let partlySigned = """
        From: alice@example.test
        To: bob@elsewhere.test
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=outer

        --outer
        Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=b

        --b
        Content-Type: text/plain

        Hello
        --b
        Content-Type: application/pkcs7-signature; name=smime.p7s
        Content-Transfer-Encoding: base64

        MIIB
        --b--
        --outer
        Content-Type: text/plain

        Transfer the money at once.
        --outer--

        """

    /// An envelope block. Without a sender it is unknown; `<>` is the null sender.
    static func block(
        from sender: String? = "alice@example.test", to recipients: String...,
        asking request: NotificationRequest = NotificationRequest()
    ) -> String {
        let path: ReversePath? = sender.flatMap { $0 == "<>" ? .null : address($0).map(ReversePath.address) }
        let to = recipients.isEmpty ? ["bob@elsewhere.test", "hidden@elsewhere.test"] : recipients
        let envelope = Envelope(
            sender: path, recipients: to.compactMap(address), source: .arguments, notification: request)
        return EnvelopeBlock(envelope: envelope, entry: nil).rendered(lineEnd: .lf).text
    }

    static func address(_ text: String) -> AddrSpec? { AddrSpec(parsing: text) }
}

extension Outcome {
    var outputs: [Output] {
        if case .publish(let outputs) = disposal { outputs } else { [] }
    }

    /// Attempts completed and seconds to wait; nil when it is not deferred.
    var deferral: [Int]? {
        if case .defer(let attempts, let delay) = disposal { [attempts, delay] } else { nil }
    }

    /// One line an output, see ``Output/summary``.
    var summary: [String] { outputs.map(\.summary) }

    var delivered: Output? { outputs.first { $0.folder == .delivered } }
}

extension Output {
    var octets: OctetString { content.collected() }
    var text: String { octets.text }
    var message: Message { get throws { try Message(reading: octets.withCRLFLineEnds()) } }

    /// Folder, word, envelope, direction of travel, and what a notice carries beside its text.
    var summary: String {
        let from =
            switch envelope.sender {
            case nil: "unknown"
            case .null: "<>"
            case .address(let address): address.description
            }
        let to = envelope.recipients.map(\.description).joined(separator: ",")
        return (["\(folder) \(word.rawValue) \(from) > \(to) \(direction)"] + attachments.map { "+ " + $0 })
            .joined(separator: " ")
    }

    /// The media types beside the text of a notice.
    var attachments: [String] {
        guard word == .notice, let message = try? message else { return [] }
        return message.root.children.dropFirst().map(\.contentType.mediaType)
    }

    /// The bodies of all fields of this name.
    func fields(_ name: String) throws -> [String] { try message.header.all(name).map(\.text) }
}

extension ScriptedSignatures {
    static func answering(_ answer: VerificationAnswer) -> ScriptedSignatures {
        ScriptedSignatures(verify: { _ in answer })
    }

    static func failing(_ failure: Failure) -> ScriptedSignatures {
        ScriptedSignatures(
            sign: { (_) throws(Failure) in throw failure }, verify: { (_) throws(Failure) in throw failure })
    }

    static var signing: ScriptedSignatures { ScriptedSignatures(sign: { _ in .cms(OctetString("0000")) }) }
}
