import CMSSignatures
import DSSXML
import Octets

/// What the server does with one request, without HTTP: a function from request to answer.
struct SigningService: Sendable {
    let configuration: SigningServerConfiguration
    let scratch: any OctetCollectorMaking

    /// Who asks, for what, and what came of it: for the log.
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

    /// Why a request is not done.
    private struct Refusal: Error {
        let major: DSSServerAnswer.Major
        let minor: DSSServerAnswer.Minor
        let message: String

        init(_ minor: DSSServerAnswer.Minor, _ message: String, major: DSSServerAnswer.Major = .requesterError) {
            self.major = major
            self.minor = minor
            self.message = message
        }

        /// What is not there and what is not granted look the same from outside.
        static let profile = Refusal(.notSupported, "the profile is unknown, or not granted to this client")
        static let key = Refusal(
            .keyLookupFailed, "the key is unknown, or not granted to this client", major: .responderError)

        static func failed(_ error: CryptographyError) -> Refusal {
            Refusal(.generalError, error.reason, major: .responderError)
        }
    }

    private func client(
        _ request: DSSServerRequest
    ) throws(Refusal) -> SigningServerConfiguration.Client {
        guard let id = request.client, let client = configuration.clients[id] else {
            throw Refusal(.unknownClient, "the client id is not known here")
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
        switch profile.format {
        case .smime, .cms: break
        case .pdf, .xml:
            throw Refusal(.notSupported, "this version does not sign in the format \(profile.format.rawValue)")
        }
        let key = try self.key(request, client)
        guard let document = request.document else {
            throw Refusal(.referencedDocumentNotPresent, "the request has no document to sign")
        }
        let signer = CMSSigner(key: key, isCAdES: profile.isCAdES)
        var answer = DSSServerAnswer(
            .sign, envelope: request.envelope, requestID: request.requestID, profile: id, major: .success)
        do throws(CryptographyError) {
            if profile.format == .cms && (profile.enclosesContent || request.includesObject) {
                answer.output = .cms(try signer.sign(enclosing: document.octets, signingTime: now))
            } else {
                answer.output = .cms(try signer.sign(detached: document.octets, signingTime: now))
            }
        } catch {
            throw Refusal.failed(error)
        }
        return answer
    }

    private func key(
        _ request: DSSServerRequest, _ client: SigningServerConfiguration.Client
    ) throws(Refusal) -> SigningKey {
        guard let alias = request.keyAlias ?? configuration.keys.defaultAlias,
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
            case .missing: throw Refusal(.inappropriateSignature, error.reason)
            case .malformed: throw Refusal(.inappropriateSignature, error.reason)
            case .unsupported: throw Refusal(.notSupported, error.reason)
            case .storage, .failed, .wrongPassword: throw Refusal.failed(error)
            }
        }
        var answer = Self.answer(findings, to: request, profile: id)
        let time = Timestamp.text(profile.policy.verificationTime ?? now)
        if request.returnsVerificationTime || request.returnsReport { answer.verificationTime = time }
        if request.returnsSigningTime { answer.signingTime = findings.signingTime.map(Timestamp.text) }
        if request.returnsSignerIdentity { answer.signers = Array(findings.signers.prefix(1)) }
        answer.hasReport = request.returnsReport
        return answer
    }

    /// - Throws: ``CryptographyError/Kind/missing`` when there is no signature, ``CryptographyError/Kind/unsupported``
    ///   when it is of a format that is not verified here.
    private func findings(
        _ request: DSSServerRequest, _ profile: SigningServerConfiguration.VerificationProfile, now: Int
    ) throws(CryptographyError) -> SignatureFindings {
        let policy = profile.policy
        if let signature = request.signature {
            return try verify(signature, content: request.document?.octets, policy, now: now)
        }
        guard let document = request.document?.octets else {
            throw CryptographyError(.missing, "the request has neither a document nor a signature")
        }
        switch DocumentSniffing.kind(of: document) {
        case .signedData: return try verify(document, content: nil, policy, now: now)
        case .pdf: throw CryptographyError(.unsupported, "this version does not verify PDF signatures")
        case .xml: throw CryptographyError(.unsupported, "this version does not verify XML signatures")
        case .other:
            let mail = MailVerification(policy: policy, identity: profile.identity, scratch: scratch)
            guard let findings = try mail.verify(document, now: now) else {
                throw CryptographyError(.missing, "the document carries no signature this profile may verify")
            }
            return findings
        }
    }

    private func verify(
        _ signature: OctetString, content: OctetString?, _ policy: TrustPolicy, now: Int
    ) throws(CryptographyError) -> SignatureFindings {
        do throws(CryptographyError) {
            let verifier = CMSVerifier(policy: policy, use: .document)
            return SignatureFindings(try verifier.verify(signature, content: content, now: now))
        } catch {
            guard error.kind == .malformed || error.kind == .unsupported else { throw error }
            return SignatureFindings(unreadable: error)
        }
    }

    private static func answer(
        _ findings: SignatureFindings, to request: DSSServerRequest, profile: String
    ) -> DSSServerAnswer {
        var answer = DSSServerAnswer(
            .verify, envelope: request.envelope, requestID: request.requestID, profile: profile, major: .success)
        answer.details = findings.details.prefix(50).map { detail in
            DSSServerAnswer.Detail(
                isInvalid: detail.level == .invalid, kind: detail.kind.rawValue, message: detail.message)
        }
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
    /// Which kind of information is missing, as far as the protocol has a word for it.
    var indeterminateMinor: DSSServerAnswer.Minor? {
        if details.contains(where: { $0.kind == .issuerTrust }) { return .chainNotComplete }
        if details.contains(where: { $0.kind == .revocationStatus }) { return .crlNotAvailable }
        return nil
    }
}

/// What a document is, by its beginning.
enum DocumentSniffing {
    case signedData, pdf, xml, other

    static func kind(of octets: OctetString) -> DocumentSniffing {
        let start = octets.slice(0..<min(octets.count, 1_024)).array
        if start.first == 0x30 { return .signedData }
        if start.starts(with: Array("%PDF-".utf8)) { return .pdf }
        let marked = start.starts(with: [0xEF, 0xBB, 0xBF]) ? start.dropFirst(3) : start[...]
        let first = marked.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return first == UInt8(ascii: "<") ? .xml : .other
    }
}
