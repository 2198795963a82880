import InternetMessage
import Workflows

extension ConfigurationReading {
    /// Warns of what a signing workflow does to mail that its author may not have thought of.
    func warnOfSigning(_ workflow: Workflow, _ policy: Policy) {
        warnOfProtectedMail(workflow, policy)
        for operation in workflow.operations {
            switch operation {
            case .signEmail(let instruction): warnOfKey(instruction.key, workflow, policy)
            case .signAttachment(let instructions): warnOfAttachments(instructions, workflow)
            case .verifyEmail, .verifyAttachment: break
            }
        }
    }

    /// A filter that asks for signed mail, or leaves it out, speaks for itself; so with encrypted mail.
    private func warnOfProtectedMail(_ workflow: Workflow, _ policy: Policy) {
        guard let operation = workflow.operations.first(where: \.isSigning) else { return }
        let criteria = workflow.filter.criteria.map(\.test)
        let isAND = workflow.filter.combination == .all || criteria.count == 1
        let excludesSigned = isAND && criteria.contains { $0.asksEmail(signed: false) }
        let excludesEncrypted = isAND && criteria.contains { $0.asksEmail(encrypted: false) }
        let saysSigned = excludesSigned || workflow.filter.asksFor(.signed)
        let saysEncrypted = excludesEncrypted || workflow.filter.asksFor(.encrypted)
        guard !saysSigned || !saysEncrypted else { return }
        let kinds = [saysSigned ? nil : "signed", saysEncrypted ? nil : "encrypted"].compactMap { $0 }
            .joined(separator: " or ")
        let text =
            "\(operation.word): the filter does not say what to do with mail that is \(kinds) already (S/MIME or PGP). "
        warn(
            .protectedMail, line: workflow.line,
            text
                + (policy.signsProtectedMail
                    ? "It is signed once more, because SignSignedOrEncrypted is set, and many readers then show the first"
                        + " signature as broken or not at all; "
                    : "It passes to its recipients unchanged; ")
                + "write <Email signed=\"false\" encrypted=\"false\"/> into an <AND> to leave it to the next workflow or"
                + " NoFilterAction")
    }

    private func warnOfKey(_ key: KeyChoice, _ workflow: Workflow, _ policy: Policy) {
        let name: String
        switch key {
        case .fromAddress: return
        case .alias(let alias): name = "the alias \(quoted(alias))"
        case .profileDefault: name = "the profile's own key"
        }
        if let sender = workflow.filter.onlySender {
            guard case .alias(let alias) = key, let owner = AddrSpec(parsing: alias),
                CanonicalAddress(owner) != CanonicalAddress(sender),
                !policy.organisationSigners.contains(where: { $0.mayName(alias) })
            else { return }
            warn(
                .otherSender, line: workflow.line,
                "SIGN_EMAIL signs mail of \(sender) with \(name), which is another address: readers who compare signer and"
                    + " author will not trust it; write FROM_EMAIL_ADDRESS or the sender's own alias")
            return
        }
        guard policy.signerIdentity == .enforce else { return }
        let isNamed: Bool
        if case .alias(let alias) = key {
            isNamed = policy.organisationSigners.contains { $0.mayName(alias) }
        } else {
            isNamed = !policy.organisationSigners.isEmpty
        }
        guard !isNamed else { return }
        warn(
            .organisationKey, line: workflow.line,
            "SIGN_EMAIL signs mail of many senders with one key (\(name)), and no <OrganisationSigner> names its certificate:"
                + " such mail is not trusted when it comes in again, because signer and author differ. Put the"
                + " certificate's address into <OrganisationSigner> of <Processing>, and tell your partners to do the same;"
                + " or write FROM_EMAIL_ADDRESS, for a key of each sender")
    }

    private func warnOfAttachments(_ instructions: AttachmentInstructions, _ workflow: Workflow) {
        let isSelecting = workflow.filter.line(where: { $0.isAttachment }) != nil
        if !isSelecting && instructions.isForEveryAttachment {
            warn(
                .signsAllAttachments, line: workflow.line,
                "SIGN_ATTACHMENT without an <Attachment> criterion signs every attachment, whatever it is")
        }
        if isSelecting && !instructions.isForEveryAttachment {
            warn(
                .unsignedAttachments, line: workflow.line,
                "every <SignAttachment> of <ProfileSelection> has contains=: an attachment that the filter selects and none of"
                    + " them is for leaves unsigned; the last one without contains= is for all others")
        }
    }
}

extension Filter {
    /// The one sender whose mail it takes; nil when it may take mail of several.
    fileprivate var onlySender: AddrSpec? {
        guard combination == .all || criteria.count == 1 else { return nil }
        for criterion in criteria {
            guard case .from(let patterns) = criterion.test, patterns.count == 1, let only = patterns.first,
                !only.text.contains("*"), let address = AddrSpec(parsing: only.text)
            else { continue }
            return address
        }
        return nil
    }
}

extension Criterion.Test {
    fileprivate func asksEmail(encrypted wanted: Bool) -> Bool {
        if case .email(_, let encrypted) = self { encrypted == wanted } else { false }
    }
}

extension OrganisationSigner {
    /// Returns true if the certificate behind `alias` may be the one that this entry names. Only an alias that is an
    /// address tells.
    fileprivate func mayName(_ alias: String) -> Bool {
        guard let owner = CanonicalAddress(alias) else { return true }
        return switch self {
        case .address(let address): CanonicalAddress(address) == owner
        case .domain(let domain): CanonicalAddress("x@" + domain)?.domain == owner.domain
        case .certificate: true
        }
    }
}
