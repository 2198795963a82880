import DocumentKinds
import InternetMessage
import Synchronization

@testable import Workflows

/// Facts as a test gives them, which remembers what it was asked for.
struct GivenFacts: MessageFacts {
    var to: [NamedAddress] = []
    var cc: [NamedAddress] = []
    var from: [NamedAddress] = []
    var bcc: [NamedAddress] = []
    var unreadable = UnreadableAddresses()
    var subject: String?
    var givenText = ""
    var isSigned = false
    var isEncrypted = false
    var protection: MailProtection?
    var givenAttachments: [AttachmentFacts] = []
    var hasNullSender = false
    let asked = Asked()

    final class Asked: Sendable {
        let names = Mutex<[String]>([])
        var costly: [String] { names.withLock { $0 } }
    }

    var bodyText: String {
        asked.names.withLock { $0.append("body") }
        return givenText
    }
    var attachments: [AttachmentFacts] {
        asked.names.withLock { $0.append("attachments") }
        return givenAttachments
    }

    init() {}
}

extension NamedAddress {
    /// `local@domain`, split at the last `@`.
    init(_ address: String, named displayName: String? = nil) {
        let parts = address.split(separator: "@" as Character)
        let local = parts.dropLast().joined(separator: "@")
        guard let spec = AddrSpec(localPart: local, domain: String(parts[parts.count - 1])) else {
            preconditionFailure("no address: \(address)")
        }
        self.init(displayName: displayName, address: spec)
    }
}

extension AttachmentFacts {
    init(
        _ name: String?, type: String = "application/octet-stream", kinds: Set<DocumentOpening.Kind> = [],
        signed: Bool = false
    ) {
        self.init(path: [1], fileName: name, mediaType: type, contentKinds: kinds, isSigned: signed)
    }
}

extension Policy {
    /// A policy with these workflows in both directions.
    static func given(_ workflows: [Workflow], noFilterAction: RoutingAction = .block, signNullSender: Bool = false)
        -> Policy
    {
        let rules = DirectionPolicy(workflows: workflows, noFilterAction: noFilterAction)
        guard let noticeFrom = AddrSpec(localPart: "postmaster", domain: "x.test") else { preconditionFailure() }
        return Policy(
            domainNames: ["x.test"], administrator: nil, errorAction: .block, outgoing: rules, incoming: rules,
            notTrustedAction: .block, indeterminateAction: .block, notSignedAction: nil, signerIdentity: .enforce,
            organisationSigners: [], senderMustOwnFrom: false, signNullSender: signNullSender, authservID: "ses.x.test",
            noticeFrom: noticeFrom)
    }
}

extension Workflow {
    static func given(
        _ name: String, _ tests: [Criterion.Test], _ combination: Filter.Combination = .all,
        operations: [Workflows.Operation] = [.verifyEmail]
    ) -> Workflow {
        Workflow(
            name: name, line: 10,
            filter: Filter(
                combination: combination,
                criteria: tests.enumerated().map { Criterion($1, line: 11 + $0) }), operations: operations,
            resultRule: .original, attachesResponse: false)
    }
}
