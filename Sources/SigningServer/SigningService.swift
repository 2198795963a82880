import CMSSignatures
import DSSProtocol
import DSSXML
import DocumentKinds
import Explanations
import InternetMessage
import KeyTokens
import Octets
import PDFSignatures

/// The server's work on one request, without HTTP: a function from request to answer.
struct SigningService: Sendable {
    let configuration: SigningServerConfiguration
    let scratch: ScratchCollecting
    let sources: OnlineSources
    private let revocationCache = RevocationCache()
    private let clockWatch = ClockWatch()
    private let pdfSigner: Result<PDFSigner, PDFError>

    init(
        configuration: SigningServerConfiguration, scratch: ScratchCollecting, sources: OnlineSources
    ) {
        self.configuration = configuration
        self.scratch = scratch
        self.sources = sources
        do throws(PDFError) { pdfSigner = .success(try PDFSigner()) } catch { pdfSigner = .failure(error) }
    }

    /// The client, its request and the result, for the log.
    struct Record: Sendable {
        var client = ""
        var profile = ""
        var key = ""
        var outcome = ""
    }

    /// - Parameter now: Unix seconds.
    func answer(_ request: DSSServerRequest, now: Int) -> (answer: DSSServerAnswer, record: Record) {
        var record = Record()
        record.client = request.client ?? ""
        record.profile = request.profile ?? ""
        record.key = request.keyAlias ?? ""
        let answer: DSSServerAnswer
        do throws(Refusal) {
            let client = try self.client(request)
            guard request.unsupported.isEmpty else {
                throw Refusal(.notSupported, "not supported: \(request.unsupported.joined(separator: ", "))")
            }
            switch request.operation {
            case .sign: answer = try sign(request, client, now: now)
            case .verify: answer = try verify(request, client, now: now)
            }
        } catch {
            answer = DSSServerAnswer(
                request.operation, envelope: request.envelope, requestID: request.requestID, profile: request.profile,
                major: error.major, minor: error.minor, message: error.message)
        }
        record.outcome = answer.major.rawValue + (answer.message.map { ": " + $0 } ?? "")
        return (answer, record)
    }

    /// The token that has the key which a request is about; nil if it is in a file, or will be refused.
    func token(of request: DSSServerRequest) -> String? {
        guard request.operation == .sign, let id = request.profile ?? configuration.defaultSigningProfile,
            let profile = configuration.signingProfiles[id],
            let alias = request.keyAlias ?? profile.key ?? configuration.keys.defaultAlias,
            let client = request.client.flatMap({ configuration.clients[$0] }),
            client.profiles.contains(id), client.keys.contains(KeyStore.folded(alias))
        else { return nil }
        return configuration.keys[alias]?.token.map { $0.address.token }
    }

    /// The answer to a request whose key is in a token that does not keep up: the client asks again later.
    func postponed(_ request: DSSServerRequest) -> (answer: DSSServerAnswer, record: Record) {
        let message = "the token of the key does not answer in time: see to the token; the request can be made again"
        let record = Record(
            client: request.client ?? "", profile: request.profile ?? "", key: request.keyAlias ?? "",
            outcome: DSSServerAnswer.Major.responderError.rawValue + ": " + message)
        let answer = DSSServerAnswer(
            request.operation, envelope: request.envelope, requestID: request.requestID, profile: request.profile,
            major: .responderError, minor: .generalError, message: message)
        return (answer, record)
    }

    /// The reason why a request is refused.
    private struct Refusal: Error {
        let major: DSSServerAnswer.Major
        let minor: DSSServerAnswer.Minor
        let message: String

        init(
            _ minor: DSSServerAnswer.Minor, _ message: String, major: DSSServerAnswer.Major = .requesterError,
            advice: Advice? = nil
        ) {
            self.major = major
            self.minor = minor
            self.message = advice?.added(to: message) ?? message
        }

        /// A profile that does not exist and one that is not granted look the same from outside.
        static let profile = Refusal(
            .notSupported, "the profile is unknown, or not granted to this client", advice: .unknownProfile)
        static let key = Refusal(
            .keyLookupFailed, "the key is unknown, or not granted to this client", major: .responderError,
            advice: .unknownKey)

        static func failed(_ error: CryptographyError) -> Refusal {
            Refusal(.generalError, error.reason, major: .responderError)
        }
    }

    private func client(
        _ request: DSSServerRequest
    ) throws(Refusal) -> SigningServerConfiguration.Client {
        guard let id = request.client, let client = configuration.clients[id] else {
            throw Refusal(.unknownClient, "the client id is not known here", advice: .unknownClient)
        }
        return client
    }

    // MARK: Signing

    private func sign(
        _ request: DSSServerRequest, _ client: SigningServerConfiguration.Client, now: Int
    ) throws(Refusal) -> DSSServerAnswer {
        guard let id = request.profile ?? configuration.defaultSigningProfile, client.profiles.contains(id),
            let profile = configuration.signingProfiles[id]
        else { throw Refusal.profile }
        let key = try self.key(request, client, profile)
        guard let document = request.document else {
            throw Refusal(.referencedDocumentNotPresent, "the request has no document to sign")
        }
        var answer = DSSServerAnswer(
            .sign, envelope: request.envelope, requestID: request.requestID, profile: id, major: .success)
        let signing = DocumentSigning(
            profile: profile, key: key, sources: sources, pdfSigner: pdfSigner, validation: validation(profile),
            scratch: scratch, now: now, clockJump: clockWatch.jump(now: RFC3339Time.now),
            knownPast: configuration.knownPast)
        do throws(DocumentSigning.Refusal) { answer.output = try signing.sign(request, document) } catch {
            switch error {
            case .document(let why): throw Refusal(.notSupported, why, advice: .ownFile)
            case .request(let why): throw Refusal(.notSupported, why)
            case .notParseable(let why): throw Refusal(.notParseable, why, advice: .ownFile)
            case .key(let why): throw Refusal(.keyLookupFailed, why, major: .responderError, advice: .signingKey)
            case .server(let why): throw Refusal(.generalError, why, major: .responderError)
            }
        }
        return answer
    }

    private func validation(_ profile: SigningServerConfiguration.SigningProfile) -> ValidationGathering? {
        guard let id = profile.validation, let judge = configuration.verificationProfiles[id] else { return nil }
        return ValidationGathering(policy: asking(judge.policy))
    }

    private func key(
        _ request: DSSServerRequest, _ client: SigningServerConfiguration.Client,
        _ profile: SigningServerConfiguration.SigningProfile
    ) throws(Refusal) -> StoredKey {
        guard let alias = request.keyAlias ?? profile.key ?? configuration.keys.defaultAlias,
            client.keys.contains(KeyStore.folded(alias)), let key = configuration.keys[alias]
        else { throw Refusal.key }
        return key
    }

    // MARK: Verifying

    private func verify(
        _ request: DSSServerRequest, _ client: SigningServerConfiguration.Client, now: Int
    ) throws(Refusal) -> DSSServerAnswer {
        guard let id = request.profile ?? configuration.defaultVerificationProfile, client.profiles.contains(id),
            let profile = configuration.verificationProfiles[id]
        else { throw Refusal.profile }
        let findings: SignatureFindings
        do throws(CryptographyError) {
            findings = try self.findings(request, profile, now: now)
        } catch {
            switch error.kind {
            case .missing, .malformed: throw Refusal(.inappropriateSignature, error.reason, advice: .damaged)
            case .unsupported: throw Refusal(.notSupported, error.reason, advice: .unsupported)
            case .storage, .failed, .wrongPassword: throw Refusal.failed(error)
            }
        }
        var answer = Self.answer(findings, to: request, profile: id)
        let time = RFC3339Time.text(profile.policy.verificationTime ?? now)
        if request.returnsVerificationTime || request.returnsReport { answer.verificationTime = time }
        if request.returnsSigningTime { answer.signingTime = findings.signingTime.map(RFC3339Time.text) }
        if request.returnsSignerIdentity { answer.signers = Array(findings.signers.prefix(1)) }
        answer.signerCertificates = findings.missingCertificates.prefix(Self.maximumTold).map(\.der)
        answer.signatures = findings.individual.prefix(Self.maximumTold).map(DSSServerAnswer.Signature.init)
        answer.hasReport = request.returnsReport
        return answer
    }

    /// - Throws: ``CryptographyError/Kind/missing`` when there is no signature, ``CryptographyError/Kind/unsupported``
    ///   when it is of a format that is not verified here.
    private func findings(
        _ request: DSSServerRequest, _ profile: SigningServerConfiguration.VerificationProfile, now: Int
    ) throws(CryptographyError) -> SignatureFindings {
        let policy = online(profile.policy)
        let documents = DocumentVerification(policy: policy, now: now)
        if let signature = request.signature {
            return try documents.cms(signature, content: request.document?.octets)
        }
        guard let document = request.document?.octets else {
            throw CryptographyError(.missing, "the request has neither a document nor a signature")
        }
        let reading = DocumentOpening(of: document).reading(declared: request.document?.declaredKind)
        switch reading {
        case .cms: return try documents.cms(document, content: nil)
        case .document(.pdf): return try documents.pdf(document)
        case .document(.xml): return try documents.xml(document)
        case .ambiguous(let ways):
            return SignatureFindings(details: [
                VerificationDetail(
                    .signature, .invalid, "the document can be read in several ways, as \(SignedReading.words(ways))")
            ])
        case nil:
            let mail = SignedMailVerification(policy: policy, identity: profile.identity, scratch: scratch)
            guard let findings = try mail.verify(document, now: now) else {
                throw CryptographyError(.missing, "the document carries no signature this profile may verify")
            }
            return findings
        }
    }

    /// Returns the policy with the way to sources of revocation status, if that is checked.
    private func online(_ policy: TrustPolicy) -> TrustPolicy {
        policy.revocation == .none ? policy : asking(policy)
    }

    private func asking(_ policy: TrustPolicy) -> TrustPolicy {
        var policy = policy
        policy.revocationSource = sources
        policy.revocationCache = revocationCache
        return policy
    }

    /// The most details, and the most signatures, that an answer tells of.
    private static let maximumTold = 50

    private static func answer(
        _ findings: SignatureFindings, to request: DSSServerRequest, profile: String
    ) -> DSSServerAnswer {
        var answer = DSSServerAnswer(
            .verify, envelope: request.envelope, requestID: request.requestID, profile: profile, major: .success)
        // Those that speak against it first, so that none of them falls out.
        let told = findings.details.filter { $0.level == .invalid } + findings.details.filter { $0.level != .invalid }
        answer.details = told.prefix(maximumTold).map(DSSServerAnswer.Detail.init)
        switch findings.verdict {
        case .trusted: answer.minor = .onAllDocuments
        case .notTrusted:
            answer.minor = .incorrectSignature
            answer.message = findings.details.first { $0.level == .invalid }?.message
        case .indeterminate:
            answer.major = .insufficientInformation
            answer.minor = findings.indeterminateMinor
            answer.message = findings.details.first?.message
        }
        return answer
    }
}

extension SignatureFindings {
    /// The kind of information that is missing, if the protocol has a word for it.
    var indeterminateMinor: DSSServerAnswer.Minor? {
        if details.contains(where: { $0.kind == .issuerTrust }) { return .chainNotComplete }
        if details.contains(where: { $0.cause == .responderUnavailable }) { return .ocspNotAvailable }
        if details.contains(where: { $0.cause == .listUnavailable }) { return .crlNotAvailable }
        return nil
    }
}

extension DSSServerAnswer.Detail {
    init(_ detail: VerificationDetail) {
        self.init(isInvalid: detail.level == .invalid, kind: detail.kind.rawValue, message: detail.message)
    }
}

extension DSSServerAnswer.Signature {
    init(_ individual: SignatureFindings.Individual) {
        let verdict: Verdict =
            switch individual.verdict {
            case .trusted: .trusted
            case .indeterminate: .indeterminate
            case .notTrusted: .notTrusted
            }
        self.init(
            verdict, fieldName: individual.fieldName, signer: individual.signer,
            signingTime: individual.claimedTime.map(RFC3339Time.text),
            provenTime: individual.provenTime.map(RFC3339Time.text),
            details: individual.details.prefix(20).map(DSSServerAnswer.Detail.init))
    }
}

extension DSSServerRequest {
    /// True if the client asks for a CMS signature, whatever the document is.
    var asksForCMS: Bool { signatureType == DSSWord.cms }
}

extension DSSServerRequest.Document {
    /// The kind that the client says it is; nil where it does not.
    var declaredKind: DocumentOpening.Kind? {
        if element == .base64XML { return .xml }
        guard let type = mimeType?.asciiLowercased else { return nil }
        if ["application/pkcs7-mime", "application/pkcs7-signature"].contains(type) { return .cms }
        // ADSS takes bare words such as PDF.
        return DocumentFormat.allCases.first { type == $0.rawValue || $0.isDeclared(by: type) }?.kind
    }
}
