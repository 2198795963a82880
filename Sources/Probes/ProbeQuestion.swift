import DSSProtocol
import InternetMessage
import SESConfiguration
import Workflows

/// One request that mail would bring: a kind of document, signed with a profile and a key.
struct ProbeQuestion: Hashable {
    let kind: DocumentKind
    /// nil: the server's own.
    let profile: String?
    /// nil: that of the profile.
    let alias: String?
    /// The workflow's line in `ses.xml`.
    let line: Int
    /// The rule of the workflow that asks, for people.
    let operation: String

    /// True if it is the same request, whichever workflow brings it.
    func asksTheSame(as other: ProbeQuestion) -> Bool {
        kind == other.kind && profile == other.profile && alias == other.alias
    }

    /// The requests of all workflows of both directions, each once.
    static func all(of settings: SESSettings) -> [ProbeQuestion] {
        var found: [ProbeQuestion] = []
        for workflow in settings.policy.outgoing.workflows + settings.policy.incoming.workflows {
            for question in questions(of: workflow, settings.policy) {
                if !found.contains(where: { $0.asksTheSame(as: question) }) { found.append(question) }
            }
        }
        return found
    }

    private static func questions(of workflow: Workflow, _ policy: Policy) -> [ProbeQuestion] {
        var found: [ProbeQuestion] = []
        for operation in workflow.operations {
            switch operation {
            case .verifyEmail, .verifyAttachment: continue
            case .signEmail(let instruction):
                for alias in aliases(instruction.key, workflow, policy) {
                    found.append(
                        ProbeQuestion(
                            kind: .email, profile: instruction.profile, alias: alias, line: workflow.line,
                            operation: operation.word))
                }
            case .signAttachment(let instructions):
                for profile in instructions.profiles {
                    let kinds = kinds(of: profile, workflow.filter)
                    let keys = keys(for: profile, instructions)
                    for kind in kinds {
                        for alias in keys.flatMap({ aliases($0, workflow, policy) }) {
                            found.append(
                                ProbeQuestion(
                                    kind: kind, profile: profile.profile, alias: alias, line: workflow.line,
                                    operation: operation.word))
                        }
                    }
                }
            }
        }
        return found
    }

    /// The keys that may meet a profile: those for the same attachments, or for all.
    private static func keys(
        for profile: AttachmentInstructions.Profile, _ instructions: AttachmentInstructions
    ) -> [KeyChoice] {
        let fitting = instructions.keys.filter { key in
            guard let of = key.contains, let wanted = profile.contains else { return true }
            return of.contains { pattern in wanted.contains { $0.text.lowercased() == pattern.text.lowercased() } }
        }
        return fitting.isEmpty ? [.profileDefault] : fitting.map(\.key)
    }

    /// The aliases behind a choice. Senders are known only where the filter names single ones.
    private static func aliases(_ key: KeyChoice, _ workflow: Workflow, _ policy: Policy) -> [String?] {
        switch key {
        case .profileDefault: return [nil]
        case .alias(let alias): return [alias]
        case .fromAddress:
            var senders: [String?] = []
            for criterion in workflow.filter.criteria {
                guard case .from(let patterns) = criterion.test else { continue }
                for pattern in patterns.prefix(20) where !pattern.text.contains("*") {
                    if let address = AddrSpec(parsing: pattern.text), policy.isInternal(address) {
                        senders.append("\(address)")
                    }
                }
            }
            return senders.isEmpty ? [nil] : senders
        }
    }

    /// The kinds of attachments that a profile is for, by its own words, else by those of the filter.
    private static func kinds(of profile: AttachmentInstructions.Profile, _ filter: Filter) -> [DocumentKind] {
        guard profile.format != .cms else { return [.cms] }
        var words = profile.contains?.map(\.text)
        if words == nil {
            for criterion in filter.criteria {
                if case .attachment(let contains?, _) = criterion.test {
                    words = (words ?? []) + contains.map(\.text)
                }
            }
        }
        var kinds: [DocumentKind] = []
        for word in words ?? ["*"] {
            let word = word.lowercased()
            let of: [DocumentKind] =
                if word == "*" || word == "*.*" {
                    [.pdf, .xml, .cms]
                } else if word.hasSuffix("pdf") {
                    [.pdf]
                } else if word.hasSuffix("xml") {
                    [.xml]
                } else {
                    [.cms]
                }
            kinds += of.filter { !kinds.contains($0) }
        }
        return kinds
    }
}
