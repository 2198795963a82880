import DSSProtocol
import DocumentKinds
import InternetMessage
import Octets
import Processing
import Workflows

/// A mail with files, and the facts that decide would have of them.
struct AttachedMail: Sendable {
    struct File: Sendable {
        var name: String?
        var type: String
        var content: String
        var kinds: Set<DocumentOpening.Kind>
        var isSigned: Bool
        var protection: AttachmentFacts.Protection?
        var isSelected = true

        static func pdf(_ name: String, _ content: String = "", signed: Bool = true) -> File {
            File(name: name, type: "application/pdf", content: "%PDF-1.7\n" + content, kinds: [.pdf], isSigned: signed)
        }
        static func xml(_ name: String, _ content: String) -> File {
            File(name: name, type: "text/xml", content: content, kinds: [.xml], isSigned: true)
        }
        static func cms(_ name: String?, _ content: String, type: String = "application/pkcs7-signature") -> File {
            File(name: name, type: type, content: content, kinds: [.cms], isSigned: true)
        }
        static func text(_ name: String, _ content: String = "text") -> File {
            File(name: name, type: "text/plain", content: content, kinds: [], isSigned: false)
        }

        func unselected() -> File {
            var file = self
            file.isSelected = false
            return file
        }
        func protected(_ protection: AttachmentFacts.Protection) -> File {
            var file = self
            file.protection = protection
            return file
        }
    }

    var files: [File]
    /// Fields of the parts, beside those that name and encode them.
    var extraField = ""
    /// Signed as a whole: the files stand within multipart/signed.
    var isSigned = false

    private var mixed: String {
        let parts = files.map { file in
            let name = file.name.map { "; filename=\"\($0)\"" } ?? ""
            return "Content-Type: \(file.type)\nContent-Disposition: attachment\(name)\n"
                + "Content-Transfer-Encoding: base64\n\(extraField)\n" + Base64.encode(Array(file.content.utf8)) + "\n"
        }
        return "Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nHello\n--m\n"
            + parts.joined(separator: "--m\n") + "--m--\n"
    }

    var text: String {
        let head =
            "From: Alice <alice@example.test>\nTo: bob@elsewhere.test\nSubject: Offer\nMessage-ID: <3@example.test>\n"
            + "MIME-Version: 1.0\n"
        guard isSigned else { return head + mixed }
        return head
            + "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b\n\n"
            + "--b\n\(mixed)--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\n"
            + "Content-Transfer-Encoding: base64\n\n\(Base64.encode(Array("detached".utf8)))\n--b--\n"
    }

    /// All, those that are not selected too.
    var attachments: [AttachmentFacts] {
        files.enumerated().map { index, file in
            AttachmentFacts(
                path: (isSigned ? [0] : []) + [index + 1], fileName: file.name, mediaType: file.type,
                contentKinds: file.kinds, isSigned: file.isSigned, protection: file.protection)
        }
    }

    /// A filter that selects those with the selected names.
    var filter: Filter {
        guard files.contains(where: { !$0.isSelected }) else { return .everything }
        let names = files.filter(\.isSelected).compactMap(\.name).compactMap { WildcardPattern($0) }
        return Filter(combination: .all, criteria: [Criterion(.attachment(contains: names, signed: nil), line: 1)])
    }
}

/// Reads a CMS of the tests, which is text: `detached` or `enclosed`, and what is wrong with it.
struct TextualInspection: SignatureInspection {
    func facts(of signature: OctetString) throws(Failure) -> CMSFacts {
        let text = signature.text
        if text.contains("unreadable") { throw Failure(.permanent, "no CMS") }
        if text.contains("diskfull") { throw Failure(OctetCollectionError(.storage(errno: 28), "no room"), "x") }
        if text.contains("nobody") { return CMSFacts(enclosesContent: false, signers: []) }
        let one = CMSFacts.signed(by: "alice@example.test", enclosing: text.contains("enclosed"))
        guard text.contains("twosigners") else { return one }
        return CMSFacts(enclosesContent: one.enclosesContent, signers: one.signers + one.signers)
    }

    func content(of signature: OctetString) -> (any OctetSource)? { nil }

    func check(_ signature: OctetString, content: (any OctetSource)?) -> SignatureIntegrity {
        if signature.text.contains("odd") { return .unknown("algorithm") }
        guard let content else { return signature.text.contains("changed") ? .broken("digest") : .intact }
        var octets: [UInt8] = []
        content.forEachChunk { octets += Array($0) }
        let text = String(decoding: octets, as: UTF8.self)
        if signature.text.contains("unixlines") { return text.contains("\r") ? .broken("digest") : .intact }
        return text.contains("changed") ? .broken("digest") : .intact
    }
}

extension TextualInspection {
    func obstacle(toSigning use: SignatureUse, by signer: CMSFacts.Signer, at now: Int) -> SigningObstacle? { nil }
}

/// Reads a document of the tests: each line `sig NAME INTEGRITY COVERAGE` is a signature.
struct TextualDocuments: DocumentInspection {
    func obstacle(toSigning document: OctetString, as format: DocumentFormat) -> String? { nil }

    func check(_ signed: OctetString, from original: OctetString, as format: DocumentFormat) -> MadeSignature {
        MadeSignature(.intact)
    }

    func signatures(in document: OctetString, as format: DocumentFormat) throws(Failure) -> [DocumentSignature] {
        if document.text.contains("unreadable") { throw Failure(.permanent, "objects are missing") }
        return document.text.split(separator: "\n").filter { $0.hasPrefix("sig") }.map { line in
            let words = line.split(separator: " ").map(String.init)
            let signer = CMSFacts.Signer(
                digestAlgorithm: "sha-256", addresses: [], issuer: nil, serial: nil, subject: "CN=Local \(words[1])",
                signingTime: nil)
            let integrity: SignatureIntegrity =
                switch words[2] {
                case "broken": .broken("digest")
                case "odd": .unknown("algorithm")
                default: .intact
                }
            let coverage: DocumentSignature.Coverage =
                switch words[3] {
                case "earlier": .earlierRevision("a further signature")
                case "part": .part("one element")
                default: .wholeDocument
                }
            return DocumentSignature(
                name: words[1] == "-" ? nil : words[1], signer: words[1] == "-" ? nil : signer,
                claimedTime: 1_700_000_000, integrity: integrity, coverage: coverage)
        }
    }
}

extension ScriptedSignatures {
    /// Answers by the words in the document or signature: `server-bad`, `server-unknown`, `server-revocation`,
    /// `server-down`, `server-refuses`. Lines `tells NAME VERDICT` describe single signatures; a bad one makes the
    /// whole bad without `server-good`.
    static var reading: ScriptedSignatures {
        ScriptedSignatures(verify: { (operation) throws(Failure) in
            var octets: [UInt8] = []
            operation.document?.forEachChunk { octets += Array($0) }
            let text = String(decoding: octets, as: UTF8.self) + "\n" + (operation.signature?.text ?? "")
            if text.contains("server-down") { throw Failure(.transient, "no connection") }
            if text.contains("server-cannot") {
                var failure = Failure(.permanent, "the document cannot be judged")
                failure.refusesDocument = true
                throw failure
            }
            if text.contains("server-refuses") { throw Failure(.permanent, "unknown profile") }
            let told = text.split(separator: "\n").filter { $0.hasPrefix("tells") }.map { line in
                let words = line.split(separator: " ").map(String.init)
                return IndividualVerification(
                    words[2] == "bad" ? .notTrusted : .trusted, signer: "CN=Told \(words[1])",
                    signingTime: "2026-01-15T09:30:00Z", fieldName: words[1] == "-" ? nil : words[1],
                    messages: words[2] == "bad" ? ["revoked"] : [])
            }
            let isBad =
                text.contains("server-bad")
                || !text.contains("server-good") && told.contains { $0.verdict == .notTrusted }
            let isUnknown = text.contains("server-unknown") || text.contains("server-revocation")
            let verdict: Verdict = isBad ? .notTrusted : isUnknown ? .indeterminate : .trusted
            return VerificationAnswer(
                verdict: verdict, isRevocationUnreachable: text.contains("server-revocation"),
                signerIdentities: ["CN=Whole"], signingTimes: ["2026-01-01T00:00:00Z"],
                messages: verdict == .trusted ? [] : ["the server says \(verdict.words)"], signatures: told,
                raw: OctetString("<answer kind=\"\(operation.kind.rawValue)\"/>"))
        })
    }
}

extension Bench {
    /// One that verifies the attachments of `mail`, and with them the mail where that is asked.
    static func verifying(
        _ mail: AttachedMail, _ operations: [Operation] = [.verifyAttachment], rule: ResultRule = .originalAsAttachment,
        attachesResponse: Bool = false
    ) -> Bench {
        var bench = Bench()
        bench.signatures = .reading
        bench.reader = TextualInspection()
        bench.documentReader = TextualDocuments()
        bench.attachments = mail.attachments
        bench.policy.incoming.workflows[0].filter = mail.filter
        bench.policy.incoming.workflows[0].operations = operations
        bench.policy.incoming.workflows[0].resultRule = rule
        bench.policy.incoming.workflows[0].attachesResponse = attachesResponse
        return bench
    }

    func process(_ mail: AttachedMail, attempts: Int = 0) async -> Outcome {
        await process(mail.text, direction: .incoming, attempts: attempts)
    }
}
