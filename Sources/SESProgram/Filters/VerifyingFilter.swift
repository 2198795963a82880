import DSSClient
import DSSProtocol
import DocumentKinds
import FoundationEssentials
import Glibc
public import HostProcess
public import Octets
import Processing
import SESConfiguration
import Workflows

/// `ses verify`: one mail or file in; a mail comes out with its result, a file as it is.
public enum VerifyingFilter {
    /// Verifies `input`, a mail by the workflows of the configuration.
    /// - Returns: The octets for standard output, and the verdict.
    /// - Throws: ``ProgramError`` with 65 for an input that cannot be read, 75 if the server does not answer, 69 if it
    ///   refuses.
    public static func run(
        _ input: OctetString, _ request: FilterRequest
    ) async throws(ProgramError) -> (output: OctetString, report: FilterReport) {
        try await FilterServices.run(request) { (filter, begun) throws(ProgramError) in
            request.form == .mail
                ? try await mail(input, filter, begun) : (input, try await file(input, request, filter, begun))
        }
    }

    // MARK: - Mail

    private static func mail(
        _ input: OctetString, _ filter: FilterServices, _ begun: ContinuousClock.Instant
    ) async throws(ProgramError) -> (OctetString, FilterReport) {
        var policy = filter.settings.policy
        // Whatever the verdict, the caller gets the mail with it and decides by the exit status.
        policy.notTrustedAction = .recipients
        policy.indeterminateAction = .recipients
        policy.notSignedAction = .recipients
        policy.incoming.noFilterAction = .recipients
        if !policy.incoming.workflows.contains(where: { !$0.operations.allSatisfy(\.isSigning) }) {
            policy.incoming.workflows = [
                Workflow(
                    name: "command line", line: 0, filter: .everything,
                    operations: [.verifyEmail, .verifyAttachment], resultRule: .top, attachesResponse: false)
            ]
        }
        let result = try await filter.process(input, .incoming, by: policy)
        guard let words = result.account.verdict, let output = result.output else {
            return (input, FilterReport(.notSigned, result.account.reason, since: begun))
        }
        let verdict: FilterReport.Result =
            switch words {
            case Verdict.trusted.words: .trusted
            case Verdict.indeterminate.words: .indeterminate
            case Verdict.notTrusted.words: .notTrusted
            default: .notSigned
            }
        // The decision comes first in the account, and the reasons for the verdict behind its words.
        let reason = result.account.reason.components(separatedBy: words + "; ").dropFirst().joined(
            separator: words + "; ")
        return (
            verdict == .notSigned ? input : output,
            FilterReport(verdict, reason, workflow: result.account.workflow, since: begun)
        )
    }

    // MARK: - Files

    private static func file(
        _ input: OctetString, _ request: FilterRequest, _ filter: FilterServices, _ begun: ContinuousClock.Instant
    ) async throws(ProgramError) -> FilterReport {
        do throws(Failure) {
            if let format = request.form.format {
                let found = try DocumentInspecting().signatures(in: input, as: format)
                guard !found.isEmpty else {
                    return FilterReport(.notSigned, "the \(format.words) carries no signature", since: begun)
                }
                let answer = try await ask(filter, request.form, document: input, signature: nil)
                return report(FileVerdict(answer, found: found), begun)
            }
            let facts = try CMSInspecting().facts(of: input)
            guard facts.enclosesContent || request.content != nil else {
                throw Failure(.permanent, "the CMS does not hold its content: name the file by --content")
            }
            let integrity = try CMSInspecting().check(
                input, content: facts.enclosesContent ? nil : request.content)
            let answer = try await ask(
                filter, .cms, document: facts.enclosesContent ? nil : request.content, signature: input)
            return report(FileVerdict(answer, facts, integrity), begun)
        } catch {
            throw error.permanence == .permanent && !error.pointsAtConfiguration && error.answer == nil
                ? ProgramError(.badInput, error.summary) : FilterServices.error(error)
        }
    }

    private static func ask(
        _ filter: FilterServices, _ form: FilterForm, document: OctetString?, signature: OctetString?
    ) async throws(Failure) -> VerificationAnswer {
        try await filter.client.verify(
            VerificationOperation(
                kind: form.kind, document: document, signature: signature,
                originatorID: filter.settings.originatorID, requestID: filter.requestID), answers: filter.scratch)
    }

    private static func report(_ verdict: FileVerdict, _ begun: ContinuousClock.Instant) -> FilterReport {
        let result: FilterReport.Result =
            switch verdict.verdict {
            case .trusted: .trusted
            case .indeterminate: .indeterminate
            case .notTrusted: .notTrusted
            case nil: .notSigned
            }
        return FilterReport(
            result, verdict.verdict == .trusted ? "" : verdict.reasons.first ?? "",
            signatures: verdict.signatures.map {
                FilterReport.Signature(
                    verdict: $0.verdict.words, signer: $0.signer, signingTime: $0.signingTime, reasons: $0.reasons)
            }, since: begun)
    }
}
