import DSSClient
import DSSProtocol
import DocumentKinds
import Explanations
import FoundationEssentials
public import HostProcess
public import Octets
import Processing
import SESConfiguration
import Workflows

/// `ses sign`: one mail or file in, the same signed out.
public enum SigningFilter {
    /// Signs `input`, by the workflows of the configuration or with the profile and key that are given.
    /// - Returns: The signed mail or document, the CMS in DER, or the input where nothing was to be signed.
    /// - Throws: ``ProgramError`` with 65 for an input that cannot be signed, 75 if the server does not answer, 69 if
    ///   it refuses; there is no output then.
    public static func run(
        _ input: OctetString, _ request: FilterRequest
    ) async throws(ProgramError) -> (output: OctetString, report: FilterReport) {
        try await FilterServices.run(request) { (filter, begun) throws(ProgramError) in
            request.form == .mail
                ? try await mail(input, request, filter, begun) : try await file(input, request, filter, begun)
        }
    }

    private static func key(_ alias: String?) -> KeyChoice {
        switch alias {
        case nil, "", "NONE": .profileDefault
        case "FROM_EMAIL_ADDRESS": .fromAddress
        case .some(let alias): .alias(alias)
        }
    }

    // MARK: - Mail

    private static func mail(
        _ input: OctetString, _ request: FilterRequest, _ filter: FilterServices, _ begun: ContinuousClock.Instant
    ) async throws(ProgramError) -> (OctetString, FilterReport) {
        var policy = filter.settings.policy
        policy.outgoing.noFilterAction = .recipients
        let isGiven = request.profile != nil || request.alias != nil
        if isGiven {
            let instruction = SigningInstruction(profile: request.profile, key: key(request.alias))
            policy.outgoing.workflows = [
                Workflow(
                    name: "command line", line: 0, filter: .everything, operations: [.signEmail(instruction)],
                    resultRule: .original, attachesResponse: false)
            ]
        }
        let result = try await filter.process(input, .outgoing, by: policy)
        guard result.word == .signed, let output = result.output else {
            return (input, FilterReport(.unchanged, result.account.reason, since: begun))
        }
        return (
            output,
            FilterReport(
                .signed, isGiven ? "" : result.account.reason, workflow: isGiven ? nil : result.account.workflow,
                since: begun)
        )
    }

    // MARK: - Files

    private static func file(
        _ input: OctetString, _ request: FilterRequest, _ filter: FilterServices, _ begun: ContinuousClock.Instant
    ) async throws(ProgramError) -> (OctetString, FilterReport) {
        let kind = request.form.kind
        let (instruction, workflow) = try instruction(for: input, request, filter.settings)
        if let format = request.form.format {
            let obstacle: String?
            do throws(Failure) { obstacle = try DocumentInspecting().obstacle(toSigning: input, as: format) } catch {
                throw FilterServices.error(error)
            }
            if let obstacle { throw ProgramError(.badInput, "the \(format.words) cannot be signed: \(obstacle)") }
        }
        guard instruction.key != .fromAddress else {
            throw ProgramError(.usage, "a file has no From address: name the key by --alias")
        }
        let alias: String? = if case .alias(let alias) = instruction.key { alias } else { nil }
        let operation = SigningOperation(
            kind: kind, document: input, profile: instruction.profile, keyAlias: alias,
            attributes: instruction.attributes.map { SignatureAttribute(name: $0.name.rawValue, value: $0.value) },
            originatorID: filter.settings.originatorID, requestID: filter.requestID)
        do throws(Failure) {
            let answer = try await filter.client.sign(operation, answers: filter.scratch)
            let (output, signer) = try checked(answer, from: input, request.form)
            let signature = FilterReport.Signature(
                verdict: nil, signer: signer?.subject, signingTime: nil, reasons: [])
            return (
                output, FilterReport(.signed, "", workflow: workflow, signatures: [signature], since: begun)
            )
        } catch {
            throw FilterServices.error(error)
        }
    }

    /// The profile and key for a file: those that are given, else those of the first workflow that signs such files.
    private static func instruction(
        for input: OctetString, _ request: FilterRequest, _ settings: SESSettings
    ) throws(ProgramError) -> (SigningInstruction, workflow: String?) {
        if request.profile != nil || request.alias != nil {
            return (SigningInstruction(profile: request.profile, key: key(request.alias)), nil)
        }
        let facts = AttachmentFacts(
            path: [], fileName: "file." + (request.form == .cms ? "bin" : request.form.rawValue),
            mediaType: "application/" + (request.form == .cms ? "octet-stream" : request.form.rawValue),
            contentKinds: DocumentOpening(of: input).kinds, isSigned: false)
        for workflow in settings.policy.outgoing.workflows {
            for case .signAttachment(let instructions) in workflow.operations {
                guard let instruction = instructions.instruction(for: facts),
                    (instruction.format == .cms) == (request.form == .cms) || request.form == .cms
                else { continue }
                return (instruction, workflow.name)
            }
        }
        throw ProgramError(
            .usage,
            "no workflow of the configuration signs \(request.form.rawValue) files: name a profile by --profile, and a key by"
                + " --alias")
    }

    /// The output that an answer holds, once its signature fits the input.
    private static func checked(
        _ answer: SigningAnswer, from input: OctetString, _ form: FilterForm
    ) throws(Failure) -> (OctetString, CMSFacts.Signer?) {
        func require(_ integrity: SignatureIntegrity) throws(Failure) {
            switch integrity {
            case .intact: return
            case .broken(let why):
                throw Failure(
                    .permanent, "the signing server's signature does not fit the file: " + why, advice: .server)
            case .unknown(let why):
                throw Failure(
                    .permanent, "the signing server's signature cannot be checked: " + why, advice: .server)
            }
        }
        switch answer {
        case .document(let document):
            guard let format = form.format else {
                throw Failure(
                    .permanent, "the server gave a document and not a CMS: the profile is for another format",
                    advice: .signingProfile)
            }
            let made = try DocumentInspecting().check(document, from: input, as: format)
            try require(made.integrity)
            try refuseUnfit(made.signer)
            return (document, made.signer)
        case .cms(let cms):
            guard form == .cms else {
                throw Failure(
                    .permanent, "the server gave a CMS and not a document: the profile is for another format",
                    advice: .signingProfile)
            }
            try require(CMSInspecting().check(cms, content: input))
            let signer = try CMSInspecting().facts(of: cms).signers.first
            try refuseUnfit(signer)
            return (cms, signer)
        }
    }

    /// Refuses a signature that nobody will accept, such as one with an expired certificate.
    private static func refuseUnfit(_ signer: CMSFacts.Signer?) throws(Failure) {
        guard let signer,
            let obstacle = try CMSInspecting().obstacle(
                toSigning: .document, by: signer, at: Int(Date.now.timeIntervalSince1970))
        else { return }
        throw Failure(.permanent, obstacle.reason, advice: .signingKey)
    }
}

extension FilterForm {
    /// The kind that the signing server is asked about.
    var kind: DocumentKind {
        switch self {
        case .mail: .email
        case .pdf: .pdf
        case .xml: .xml
        case .cms: .cms
        }
    }

    /// The format that carries its signatures within; nil for the others.
    var format: DocumentFormat? {
        switch self {
        case .pdf: .pdf
        case .xml: .xml
        case .mail, .cms: nil
        }
    }
}
