/// Decides what is done with a message: the first workflow in document order whose filter holds runs, and otherwise the
/// direction's `NoFilterAction`.
///
/// If a criterion asks for an address that cannot be read, it is unknown whether the filter holds. For outgoing mail
/// this is an error, because the mail might leave unsigned by accident. For incoming mail the filter counts as holding,
/// so that an address that only a person can read does not evade verification.
///
/// Pure: equal facts and policy give an equal decision. Facts are asked for only as far as they matter.
public func decide(_ facts: some MessageFacts, direction: Direction, policy: Policy) -> Decision {
    if direction == .outgoing && !policy.signNullSender && facts.hasNullSender {
        return Decision(
            direction: direction, workflow: nil, action: .recipients,
            reason:
                "the envelope sender is empty (a bounce or notice): it passes unchanged, because SignNullSender is not set",
            criteria: [])
    }
    let rules = policy[direction]
    let evaluation = CriterionEvaluation(facts: facts)
    var findings: [CriterionFinding] = []
    for workflow in rules.workflows {
        let (holds, found) = evaluation.evaluate(workflow)
        findings += found
        if holds == nil && direction == .outgoing {
            return Decision(
                direction: direction, workflow: nil, action: policy.errorAction, isFailure: true,
                reason: undecidedReason(workflow, found), criteria: findings)
        }
        if holds != false {
            if let reason = reasonNotToSign(workflow, facts, policy) {
                return Decision(
                    direction: direction, workflow: nil, action: .recipients, reason: reason, criteria: findings)
            }
            return Decision(
                direction: direction, workflow: workflow, action: nil,
                reason: holds == nil ? assumedReason(workflow, found) : workflow.matchReason, criteria: findings,
                attachments: workflow.operations.contains(where: \.isOnAttachments)
                    ? selectedAttachments(facts, filter: workflow.filter) : [])
        }
    }
    return Decision(
        direction: direction, workflow: nil, action: rules.noFilterAction, reason: noMatchReason(direction, rules),
        criteria: findings)
}

/// Returns the reason why the signing operations of `workflow` are not done; nil if they are, or there are none.
///
/// A second signature around a signed or encrypted mail hides the first one from many readers, so it is made only where
/// the filter asks for such mail, or the configuration allows it.
private func reasonNotToSign(_ workflow: Workflow, _ facts: some MessageFacts, _ policy: Policy) -> String? {
    guard !policy.signsProtectedMail, workflow.operations.contains(where: \.isSigning),
        let protection = facts.protection, !workflow.filter.asksFor(protection.kind)
    else { return nil }
    return "the message is \(protection.kind.rawValue) already (\(protection.scheme.rawValue)): it passes unchanged to"
        + " its recipients, because the filter of workflow \"\(workflow.name)\" (line \(workflow.line)) does not ask for"
        + " such mail and SignSignedOrEncrypted is not set"
}

extension Workflow {
    /// The reason for a message that this workflow takes without any doubt: it follows from the workflow alone.
    public var matchReason: String {
        let place = "\"\(name)\" (line \(line))"
        return filter.criteria.isEmpty
            ? "workflow \(place) has no criteria and takes every message"
            : "workflow \(place) is the first whose filter holds"
    }
}

/// The first finding that left the filter open.
private func cause(_ findings: [CriterionFinding]) -> String {
    findings.first { $0.isOpen }.map { $0.because } ?? "an address cannot be read"
}

private func undecidedReason(_ workflow: Workflow, _ findings: [CriterionFinding]) -> String {
    "it is unknown whether workflow \"\(workflow.name)\" (line \(workflow.line)) is for this message: \(cause(findings))"
}

private func assumedReason(_ workflow: Workflow, _ findings: [CriterionFinding]) -> String {
    "workflow \"\(workflow.name)\" (line \(workflow.line)) may be for this message and is taken: \(cause(findings))"
}

private func noMatchReason(_ direction: Direction, _ rules: DirectionPolicy) -> String {
    let action = "NoFilterAction \(rules.noFilterAction.rawValue) applies"
    return switch rules.workflows.count {
    case 0: "there is no workflow for \(direction.rawValue) mail: \(action)"
    case 1: "the filter of the only \(direction.rawValue) workflow does not hold: \(action)"
    default: "the filter of none of the \(rules.workflows.count) \(direction.rawValue) workflows holds: \(action)"
    }
}

extension CriterionEvaluation {
    /// Evaluates the filter of `workflow`, with a finding for each of its criteria. `holds` is nil if the message does
    /// not tell.
    ///
    /// Criteria that need the text or the attachments come last, and are left alone once the others have decided.
    func evaluate(_ workflow: Workflow) -> (holds: Bool?, findings: [CriterionFinding]) {
        let filter = workflow.filter
        guard !filter.criteria.isEmpty else { return (true, []) }
        let decisive = filter.combination == .any
        var answers = [Answer?](repeating: nil, count: filter.criteria.count)
        var isDecided = false
        for (index, criterion) in filter.criteria.enumerated() where !criterion.test.isCostly {
            let answer = evaluate(criterion.test)
            answers[index] = answer
            if answer.holds == decisive { isDecided = true }
        }
        for (index, criterion) in filter.criteria.enumerated() where criterion.test.isCostly && !isDecided {
            let answer = evaluate(criterion.test)
            answers[index] = answer
            if answer.holds == decisive { isDecided = true }
        }
        let findings = zip(filter.criteria, answers).map { criterion, answer in
            CriterionFinding(
                workflow: workflow.name, line: criterion.line, criterion: criterion.kind.rawValue,
                value: criterion.test.configured, holds: answer?.holds, isOpen: answer.map { $0.holds == nil } ?? false,
                because: answer?.because ?? "not evaluated: the other criteria decide this filter")
        }
        if isDecided { return (decisive, findings) }
        return (findings.contains(where: \.isOpen) ? nil : !decisive, findings)
    }
}

extension Criterion.Test {
    /// True if the answer requires content to be decoded and read.
    fileprivate var isCostly: Bool {
        switch self {
        case .body, .attachment: true
        case .to, .from, .cc, .bcc, .subject, .email: false
        }
    }

    /// The configured value, as a reader of `ses.xml` knows it.
    fileprivate var configured: String {
        switch self {
        case .to(let list), .from(let list), .cc(let list), .bcc(let list): list.words
        case .subject(let text), .body(let text): text
        case .email(let signed, let encrypted):
            [signed.map { "signed=\"\($0)\"" }, encrypted.map { "encrypted=\"\($0)\"" }].compactMap(\.self)
                .joined(separator: " ")
        case .attachment(let contains, let signed):
            [contains.map { "contains=\"\($0.words)\"" }, signed.map { "signed=\"\($0)\"" }].compactMap(\.self)
                .joined(separator: " ")
        }
    }
}

extension [WildcardPattern] {
    /// The alternatives as one comma-separated list.
    var words: String { map(\.text).joined(separator: ",") }
}
