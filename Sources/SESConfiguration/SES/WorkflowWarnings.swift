import Workflows

extension ConfigurationReading {
    /// Warns of workflows of one direction that work, but probably not as intended.
    func warnOfWorkflows(_ section: DirectionSection, place: String, _ policy: Policy) {
        if let first = section.blocks.first, let other = section.blocks.first(where: { $0.service != first.service }) {
            warn(
                .signAndVerify, line: other.line,
                "<\(place)> has <Sign> and <Verify>: the first workflow whose filter holds runs, in document order, and"
                    + " mail that matches none follows the NoFilterAction of the service of \(first.service.block)")
        }
        let workflows = section.workflows
        for (index, workflow) in workflows.enumerated() {
            // Every pair is compared; real configurations have few workflows.
            if index < 1_000 { warnOfShadow(workflow, behind: workflows[..<index]) }
            warnOfOperations(workflow)
            warnOfSigning(workflow, policy)
        }
    }

    private func warnOfShadow(_ workflow: Workflow, behind earlier: ArraySlice<Workflow>) {
        if let same = earlier.first(where: { $0.name == workflow.name }) {
            warn(
                .sameName, line: workflow.line,
                "the workflow on line \(same.line) is called \(quoted(workflow.name)) too: reports cannot distinguish them"
            )
        }
        if let equal = earlier.first(where: { FilterComparison.areEqual($0.filter, workflow.filter) }) {
            warn(
                .equalFilters, line: workflow.line,
                "this workflow never runs: the one on line \(equal.line) has the same filter and comes first")
        } else if let wider = earlier.first(where: { FilterComparison.implies(workflow.filter, $0.filter) }) {
            warn(
                .shadowedWorkflow, line: workflow.line,
                "this workflow never runs: whatever its filter holds for, the one on line \(wider.line) takes first")
        }
    }

    private func warnOfOperations(_ workflow: Workflow) {
        for operation in workflow.operations {
            switch operation {
            case .verifyEmail:
                if let line = workflow.filter.line(where: { $0.asksEmail(signed: false) }) {
                    warn(
                        .nothingToVerify, line: line,
                        "VERIFY_EMAIL with <Email signed=\"false\">: there is never a signature to verify;"
                            + " signed=\"true\" is meant")
                }
            case .verifyAttachment:
                if let line = workflow.filter.line(where: { $0.asksAttachment(signed: false) }) {
                    warn(
                        .nothingToVerify, line: line,
                        "VERIFY_ATTACHMENT with <Attachment signed=\"false\">: there is never a signature to verify;"
                            + " signed=\"true\" is meant")
                }
            case .signAttachment:
                warnOfSignedMail(workflow, operation)
                warnOfOrder(workflow)
            case .signEmail:
                warnOfSignedMail(workflow, operation)
            }
        }
        if workflow.attachesResponse, workflow.resultRule == .original {
            warn(
                .responseNotShown, line: workflow.line,
                "attachResponseXml=\"true\" has no effect with SEND_ORIGINAL_EMAIL, which leaves the mail unchanged")
        }
    }

    private func warnOfOrder(_ workflow: Workflow) {
        guard workflow.operations.count > 1, case .signEmail? = workflow.operations.first else { return }
        warn(
            .signsAfterMail, line: workflow.line,
            "SIGN_EMAIL, SIGN_ATTACHMENT fails for every mail with an attachment to sign, because that would break the"
                + " mail's signature; SIGN_ATTACHMENT, SIGN_EMAIL is meant")
    }

    private func warnOfSignedMail(_ workflow: Workflow, _ operation: Operation) {
        guard let line = workflow.filter.line(where: { $0.asksEmail(signed: true) }) else { return }
        warn(
            .signsSignedMail, line: line,
            "\(operation.word) with <Email signed=\"true\">: what is signed already is not changed, and a mail"
                + " that cannot be signed without that fails; signed=\"false\" is meant")
    }

    /// Warns of files that the configuration names, by their place and mode; what is in them is judged elsewhere.
    func warnOfFiles(_ settings: SettingsSection, _ processing: ProcessingSection) {
        if settings.hasPasswordInText { warnOfLooseMode(file, line: 0, what: "a password") }
        if let (pfx, line) = settings.clientPFX {
            warnOfUnreadable(pfx.path, line: line, what: "the client certificate")
            warnOfLooseMode(pfx.path, line: line, what: "a private key")
        }
        if let trustStore = processing.settings.trustStore {
            warnOfUnreadable(trustStore, line: processing.trustStoreLine, what: "the trust store")
        }
    }
}

extension Filter {
    /// The line of the first criterion that fits.
    func line(where fits: (Criterion.Test) -> Bool) -> Int? { criteria.first { fits($0.test) }?.line }
}

extension Criterion.Test {
    func asksEmail(signed wanted: Bool) -> Bool {
        if case .email(let signed, _) = self { signed == wanted } else { false }
    }

    fileprivate func asksAttachment(signed wanted: Bool) -> Bool {
        if case .attachment(_, let signed) = self { signed == wanted } else { false }
    }

    var isAttachment: Bool { if case .attachment = self { true } else { false } }
}
