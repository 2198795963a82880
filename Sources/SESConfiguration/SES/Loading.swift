import InternetMessage
import Workflows
import XMLReading

/// Octets of the largest `ses.xml` that is read.
private let maximumFileSize = 8 << 20

/// Reads `ses.xml`.
/// - Parameters:
///   - path: The file as messages shall name it. Relative paths in it are read from its directory.
///   - environment: The variables for `env="…"` of a secret.
/// - Throws: All faults at once.
public func load(path: String, environment: [String: String] = [:]) throws(ConfigurationFaults) -> SESSettings {
    let reading = ConfigurationReading(file: path, environment: environment)
    if let root = reading.readDocument("ses.xml"), let configuration = reading.readServerConfiguration(root) {
        return configuration
    }
    throw ConfigurationFaults(faults: reading.sortedFaults, warnings: reading.sortedWarnings)
}

extension ConfigurationReading {
    var sortedFaults: [ConfigurationFault] { faults.sorted { $0.line < $1.line } }
    var sortedWarnings: [ConfigurationWarning] { warnings.sorted { $0.line < $1.line } }

    /// Returns the root element; nil with a fault if it cannot be read.
    /// - Parameter name: The name of such a file in messages.
    func readDocument(_ name: String) -> XMLElement? {
        refuseWorldWritable()
        do throws(FileReadingError) {
            let octets = try ConfigurationFile.read(file, limit: maximumFileSize)
            return octets.withUnsafeBytes { readTree($0) }
        } catch {
            fault(.file, line: 0, "cannot be read: \(error.reason)", expected: "a readable \(name)")
            return nil
        }
    }

    private func readTree(_ octets: UnsafeRawBufferPointer) -> XMLElement? {
        do throws(XMLReadingError) { return try XMLTree.parse(octets) } catch {
            fault(.xml, line: error.line, error.reason)
            return nil
        }
    }

    private func refuseWorldWritable() {
        if FileFacts(path: file)?.isWritableByAll == true {
            fault(.file, line: 0, "everybody can change this file: chmod o-w it")
        }
        if let facts = FileFacts(path: directory), facts.isWritableByAll, !facts.isSticky {
            fault(.file, line: 0, "everybody can replace this file: chmod o-w its directory")
        }
    }

    fileprivate func readServerConfiguration(_ root: XMLElement) -> SESSettings? {
        guard root.localName == "SES", root.namespaceURI == nil else {
            fault(
                .unknownElement, line: root.line, "the root element is <\(Self.shortened(root.localName))>",
                expected: "<SES> without a namespace",
                nearest: NearestName.of(root.localName, among: ["SES"]).map { "<\($0)>" })
            return nil
        }
        inspect(root, children: ["Settings"] + Self.movable + ["Processing", "Dialect"])
        let settings = readSettings(root: root)
        let container = root.child("Settings")
        let outgoing = readDirection(movable("Outgoing", root: root, settings: container))
        let incoming = readDirection(movable("Incoming", root: root, settings: container))
        let processing = readProcessing(root.child("Processing"))
        let dialect = readDialect(root.child("Dialect"))
        requireAdministrator(settings, processing)
        requireServices(settings, [outgoing, incoming])
        guard let policy = makePolicy(settings, outgoing, incoming, processing), faults.isEmpty,
            let originatorID = settings.originatorID
        else { return nil }
        warnOfWorkflows(outgoing, place: "Outgoing", policy)
        warnOfWorkflows(incoming, place: "Incoming", policy)
        warnOfSense(outgoing, isOutgoing: true, policy)
        warnOfSense(incoming, isOutgoing: false, policy)
        warnOfFiles(settings, processing)
        return SESSettings(
            policy: policy, originatorID: originatorID, signing: settings.signing?.addresses,
            verification: settings.verification?.addresses, proxy: settings.proxy, clientPFX: settings.clientPFX?.pfx,
            processing: processing.settings, dialect: dialect, warnings: sortedWarnings)
    }

    private func requireAdministrator(_ settings: SettingsSection, _ processing: ProcessingSection) {
        let actions = [
            settings.errorAction, settings.signing?.noFilterAction, settings.verification?.noFilterAction,
            settings.verification?.notTrustedAction, processing.indeterminateAction, processing.notSignedAction,
        ]
        guard !settings.namesAdministrator,
            let action = actions.compactMap({ $0 }).first(where: { $0.value.namesAdministrator })
        else { return }
        fault(
            .missing, line: settings.line,
            "<AdminEmailAddress> is missing in <Settings>: \(action.place) on line \(action.line) says"
                + " \(action.value.rawValue)")
    }

    private func requireServices(_ settings: SettingsSection, _ directions: [DirectionSection]) {
        for (kind, section) in [(ServiceKind.signing, settings.signing), (.verification, settings.verification)] {
            let user = directions.flatMap(\.blocks).first { $0.service == kind && !$0.workflows.isEmpty }
            guard let user, section?.addresses == nil else { continue }
            let reason = "\(kind.block) on line \(user.line) uses the service"
            if let section {
                guard !section.namesAddress else { continue }
                fault(
                    .missing, line: section.line,
                    "<\(kind.address)> with <PrimaryAddress> is missing in <\(kind.settings)>: \(reason)")
            } else {
                fault(.missing, line: settings.line, "<\(kind.settings)> is missing: \(reason)")
            }
        }
    }

    private func makePolicy(
        _ settings: SettingsSection, _ outgoing: DirectionSection, _ incoming: DirectionSection,
        _ processing: ProcessingSection
    ) -> Policy? {
        guard let domain = settings.domainNames.first,
            let postmaster = processing.noticeFrom ?? AddrSpec(localPart: "postmaster", domain: domain)
        else { return nil }
        let errorAction =
            settings.errorAction?.value ?? (settings.administrator == nil ? .block : .administrator)
        let notTrusted = settings.verification?.notTrustedAction?.value ?? errorAction
        func direction(_ section: DirectionSection, withoutBlocks service: ServiceKind) -> DirectionPolicy {
            let used = (section.blocks.first?.service ?? service) == .signing ? settings.signing : settings.verification
            return DirectionPolicy(
                workflows: section.workflows, noFilterAction: used?.noFilterAction?.value ?? .recipients)
        }
        return Policy(
            domainNames: settings.domainNames, administrator: settings.administrator, errorAction: errorAction,
            outgoing: direction(outgoing, withoutBlocks: .signing),
            incoming: direction(incoming, withoutBlocks: .verification), notTrustedAction: notTrusted,
            indeterminateAction: processing.indeterminateAction?.value ?? notTrusted,
            notSignedAction: processing.notSignedAction?.value, signerIdentity: processing.signerIdentity,
            organisationSigners: processing.organisationSigners, senderMustOwnFrom: processing.senderMustOwnFrom,
            signNullSender: processing.signNullSender, authservID: processing.authservID ?? "ses." + domain,
            noticeFrom: postmaster, signsProtectedMail: processing.signsProtectedMail)
    }
}

extension RoutingAction {
    fileprivate var namesAdministrator: Bool {
        switch self {
        case .administrator, .administratorAndRecipients, .administratorAndSender: true
        case .block, .recipients, .sender: false
        }
    }
}
