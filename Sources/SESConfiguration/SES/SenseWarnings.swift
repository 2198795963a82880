import DomainNames
import InternetMessage
import Workflows

extension ConfigurationReading {
    /// Warns of filters that can be read and hold for no message, or not for those that are meant.
    func warnOfSense(_ section: DirectionSection, isOutgoing: Bool, _ policy: Policy) {
        for workflow in section.workflows {
            if isOutgoing, workflow.operations.contains(where: \.isSigning) {
                warnOfForeignSenders(workflow, policy.domainNames)
            }
            warnOfContradiction(workflow)
            warnOfDeadAddresses(workflow)
            warnOfSharedProfile(workflow)
        }
    }

    /// Warns of a From pattern that no address of our own domains fits: nothing of ours would be signed.
    private func warnOfForeignSenders(_ workflow: Workflow, _ domains: [String]) {
        for criterion in workflow.filter.criteria {
            guard case .from(let patterns) = criterion.test else { continue }
            for pattern in patterns {
                guard let place = DomainOfPattern(pattern), place.isPossible,
                    !domains.contains(where: { place.matches($0) })
                else { continue }
                let own = domains.prefix(5).joined(separator: ", ") + (domains.count > 5 ? ", …" : "")
                let meant = NearestName.of(place.domain, among: domains).map { "; did you mean \(place.before)\($0)?" }
                warn(
                    .foreignSender, line: criterion.line,
                    "\(quoted(pattern.text)) matches no address of <DomainName> (\(own)): no mail of yours is signed"
                        + " by it" + (meant ?? "; add its domain as <DomainName>, or correct it"))
            }
        }
    }

    /// Warns of criteria that exclude each other under AND.
    private func warnOfContradiction(_ workflow: Workflow) {
        guard workflow.filter.combination == .all else { return }
        var signed: (value: Bool, line: Int)?
        var encrypted: (value: Bool, line: Int)?
        for criterion in workflow.filter.criteria {
            guard case .email(let asksSigned, let asksEncrypted) = criterion.test else { continue }
            for (name, asked, known) in [("signed", asksSigned, signed), ("encrypted", asksEncrypted, encrypted)] {
                guard let asked, let known, known.value != asked else { continue }
                warn(
                    .neverHolds, line: criterion.line,
                    "this filter never holds: <Email \(name)=\"\(asked)\"> excludes the one on line \(known.line), and AND"
                        + " asks for both; take one of them out, or write a workflow for each")
            }
            if let asksSigned { signed = signed ?? (asksSigned, criterion.line) }
            if let asksEncrypted { encrypted = encrypted ?? (asksEncrypted, criterion.line) }
        }
    }

    /// Warns of address criteria of which no alternative can be an address.
    private func warnOfDeadAddresses(_ workflow: Workflow) {
        for criterion in workflow.filter.criteria {
            guard let patterns = criterion.test.addressPatterns,
                let dead = patterns.first(where: { DomainOfPattern($0)?.isPossible == false })
            else { continue }
            let isAll = patterns.allSatisfy { DomainOfPattern($0)?.isPossible == false }
            let effect =
                isAll && workflow.filter.combination == .all
                ? "this filter never holds" : "this alternative never holds"
            warn(
                .neverHolds, line: criterion.line,
                "\(effect): \(quoted(dead.text)) is no address and no pattern of one; write the address alone, such as"
                    + " bob@example.org or *@example.org, and several with commas between them")
        }
    }

    /// Warns of one profile for mail and for attachments: a profile makes one kind of signature.
    private func warnOfSharedProfile(_ workflow: Workflow) {
        var mail: String?
        var attachments: [String] = []
        for operation in workflow.operations {
            switch operation {
            case .signEmail(let instruction): mail = instruction.profile
            case .signAttachment(let instructions): attachments += instructions.profiles.compactMap(\.profile)
            case .verifyEmail, .verifyAttachment: break
            }
        }
        guard let mail, attachments.contains(mail) else { return }
        warn(
            .sharedProfile, line: workflow.line,
            "the profile \(quoted(mail)) is named for the mail and for its attachments: a signing server has one profile for"
                + " each kind of signature, so that one of the two is refused; `ses check --probe` asks the server which"
        )
    }
}

/// The domain of an address pattern; nil for a pattern that stands for a part of an address or a name.
private struct DomainOfPattern {
    /// With A-labels, in lower case; it may have wildcards.
    let domain: String
    /// The pattern up to and with its last `@`.
    let before: String

    init?(_ pattern: WildcardPattern) {
        let text = pattern.withALabels
        guard let at = text.lastIndex(of: "@") else { return nil }
        domain = text[text.index(after: at)...].lowercased()
        before = String(text[...at])
    }

    /// True if some address fits: no blanks or brackets, and a domain that can be one.
    var isPossible: Bool {
        guard !(before + domain).contains(where: { $0.isWhitespace || "<>".contains($0) }) else { return false }
        return domain.contains("*") || ConfigurationReading.isDomain(domain)
            || (domain.hasPrefix("[") && domain.hasSuffix("]"))
    }

    func matches(_ name: String) -> Bool {
        FilterComparison.matches(Array(name.lowercased().utf8), Array(domain.utf8))
    }
}

extension Criterion.Test {
    /// The alternatives of a criterion about addresses; nil for any other.
    fileprivate var addressPatterns: [WildcardPattern]? {
        switch self {
        case .to(let patterns), .from(let patterns), .cc(let patterns), .bcc(let patterns): patterns
        case .subject, .body, .email, .attachment: nil
        }
    }
}
