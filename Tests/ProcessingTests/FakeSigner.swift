import DocumentKinds
import DSSProtocol
import Octets
import Processing
import Synchronization
import Workflows

/// A signing server whose signatures are made up, and yet fit only what they were made for.
final class FakeSigner: SignatureService {
    typealias Change = @Sendable (SigningOperation, SigningAnswer) throws(Failure) -> SigningAnswer

    private let encloses: Bool
    private let change: Change
    private let kept = Mutex<[SigningOperation]>([])

    /// - Parameters:
    ///   - encloses: True if a CMS of a file carries it.
    ///   - change: The change made to an answer before it is given.
    init(encloses: Bool = true, change: @escaping Change = { (_, answer) throws(Failure) in answer }) {
        self.encloses = encloses
        self.change = change
    }

    /// In order.
    var operations: [SigningOperation] { kept.withLock { $0 } }

    static let enclosingMark = "ENCLOSING:"
    static let detachedMark = "DETACHED:"
    static let pdfMark = "\n% signed\n"
    static let xmlMark = "<ds:Signature/>"

    func sign(_ operation: SigningOperation, answers: any OctetCollectorMaking) async throws(Failure) -> SigningAnswer {
        kept.withLock { $0.append(operation) }
        let content = operation.document.collected()
        let answer: SigningAnswer
        switch operation.kind {
        case .pdf: answer = .document(OctetString(content.array + Array(Self.pdfMark.utf8)))
        case .xml: answer = .document(Self.signedXML(content))
        case .cms where encloses: answer = .cms(OctetString(Array(Self.enclosingMark.utf8) + content.array))
        case .cms, .email: answer = .cms(OctetString(Self.detachedMark + "\(content.hashValue)"))
        }
        return try change(operation, answer)
    }

    func verify(
        _ operation: VerificationOperation, answers: any OctetCollectorMaking
    ) async throws(Failure) -> VerificationAnswer {
        throw Failure(.permanent, "not expected to verify")
    }

    /// The mark stands before the end tag of the root.
    static func signedXML(_ content: OctetString) -> OctetString {
        let text = content.text
        let end = text.ranges(of: "</").last?.lowerBound ?? text.endIndex
        return OctetString(text[..<end] + Self.xmlMark + text[end...])
    }
}

/// Knows the signatures of ``FakeSigner``.
struct FakeInspection: SignatureInspection, DocumentInspection {
    func facts(of signature: OctetString) -> CMSFacts {
        .signed(by: "alice@example.test", enclosing: signature.starts(with: FakeSigner.enclosingMark.utf8))
    }

    func content(of signature: OctetString) -> (any OctetSource)? { nil }

    func check(_ signature: OctetString, content: (any OctetSource)?) -> SignatureIntegrity {
        if signature.starts(with: FakeSigner.enclosingMark.utf8) {
            let enclosed = signature.dropFirst(FakeSigner.enclosingMark.utf8.count)
            let fits = content.map { $0.collected().elementsEqual(enclosed) } ?? true
            return fits ? .intact : .broken("other octets are enclosed")
        }
        guard let content else { return .unknown("nothing is enclosed") }
        let expected = FakeSigner.detachedMark + "\(content.collected().hashValue)"
        return signature == OctetString(expected) ? .intact : .broken("the digest differs")
    }

    /// The reason why its certificate may not be used so.
    var unfit: [SignatureUse: SigningObstacle] = [:]
    /// The owner of the certificate in a document that is signed.
    var documentSigner = "alice@example.test"

    func obstacle(toSigning use: SignatureUse, by signer: CMSFacts.Signer, at now: Int) -> SigningObstacle? {
        unfit[use]
    }

    func obstacle(toSigning document: OctetString, as format: DocumentFormat) -> String? {
        switch format {
        case .pdf: document.text.contains("/Encrypt") ? "it is encrypted" : nil
        case .xml: document.text.hasSuffix(">") ? nil : "it is not well-formed"
        }
    }

    func check(_ signed: OctetString, from original: OctetString, as format: DocumentFormat) -> MadeSignature {
        let integrity: SignatureIntegrity =
            switch format {
            case .pdf:
                signed == OctetString(original.array + Array(FakeSigner.pdfMark.utf8))
                    ? .intact : .broken("it does not begin with what was sent")
            case .xml: signed == FakeSigner.signedXML(original) ? .intact : .broken("it is another document")
            }
        return MadeSignature(integrity, by: CMSFacts.signed(by: documentSigner).signers.first)
    }

    func signatures(in document: OctetString, as format: DocumentFormat) -> [DocumentSignature] { [] }
}
