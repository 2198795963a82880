import InternetMessage
import Workflows
import XMLReading

/// `Processing` as read: settings of the program, and what belongs to the policy.
struct ProcessingSection {
    var settings = ProcessingSettings()
    var trustStoreLine = 0
    var authservID: String?
    var noticeFrom: AddrSpec?
    var signerIdentity = SignerIdentityRule.enforce
    var organisationSigners: [OrganisationSigner] = []
    var indeterminateAction: Located<RoutingAction>?
    var notSignedAction: Located<RoutingAction>?
    var senderMustOwnFrom = false
    var signNullSender = false
    var signsProtectedMail = false
}

extension ConfigurationReading {
    private static let processingElements = [
        "Spool", "Concurrency", "Timeout", "MaxMessageSize", "Retry", "TrustStore", "AuthservId", "NoticeFrom",
        "SignerIdentity", "OrganisationSigner", "ResponseIndeterminateAction", "NotSignedAction", "SenderMustOwnFrom",
        "SignNullSender", "SignSignedOrEncrypted", "AdminCopiesPerHour", "JournalDays", "JournalMaxSize",
        "JournalSubjects", "HeldCopyDays",
    ]

    func readProcessing(_ element: XMLElement?) -> ProcessingSection {
        var section = ProcessingSection()
        guard let element else { return section }
        inspect(element, children: Self.processingElements, repeatable: ["OrganisationSigner"])
        var settings = ProcessingSettings()
        settings.spool = path(filledLeaf(element.child("Spool")))
        settings.concurrency =
            integer(filledLeaf(element.child("Concurrency")), in: 1...1_000) ?? settings.concurrency
        if let timeout = element.child("Timeout") { readTimeout(timeout, &settings) }
        settings.maxMessageSize =
            size(filledLeaf(element.child("MaxMessageSize")), in: (1 << 10)...(700 << 20)) ?? settings.maxMessageSize
        if let retry = element.child("Retry") { settings.retry = readRetry(retry) }
        let trustStore = filledLeaf(element.child("TrustStore"))
        settings.trustStore = path(trustStore)
        settings.adminCopiesPerHour = integer(
            filledLeaf(element.child("AdminCopiesPerHour")), in: 1...1_000_000, unit: " copies")
        settings.journalDays =
            integer(filledLeaf(element.child("JournalDays")), in: 1...36_500, unit: " days") ?? settings.journalDays
        settings.journalMaxSize =
            size(filledLeaf(element.child("JournalMaxSize")), in: (1 << 20)...(1 << 50)) ?? settings.journalMaxSize
        settings.journalsSubjects = truth(leaf(element.child("JournalSubjects"))) ?? settings.journalsSubjects
        settings.heldCopyDays =
            integer(filledLeaf(element.child("HeldCopyDays")), in: 1...36_500, unit: " days") ?? settings.heldCopyDays
        section.trustStoreLine = trustStore?.line ?? 0
        section.settings = settings
        section.authservID = domain(filledLeaf(element.child("AuthservId")))
        section.noticeFrom = address(filledLeaf(element.child("NoticeFrom")))
        section.signerIdentity =
            word(leaf(element.child("SignerIdentity")), as: SignerIdentityRule.self) ?? section.signerIdentity
        section.organisationSigners = element.children("OrganisationSigner").flatMap { readOrganisationSigner($0) }
        section.indeterminateAction = action(element.child("ResponseIndeterminateAction"))
        section.notSignedAction = action(element.child("NotSignedAction"))
        section.senderMustOwnFrom = truth(leaf(element.child("SenderMustOwnFrom"))) ?? false
        section.signNullSender = truth(leaf(element.child("SignNullSender"))) ?? false
        section.signsProtectedMail = truth(leaf(element.child("SignSignedOrEncrypted"))) ?? false
        return section
    }

    private func readTimeout(_ element: XMLElement, _ settings: inout ProcessingSettings) {
        inspect(element, attributes: ["connect", "total"])
        let connect = attribute("connect", of: element)
        let total = attribute("total", of: element)
        if connect == nil, total == nil {
            fault(
                .missing, line: element.line, "<Timeout> says nothing", expected: "connect=, total= or both, in seconds"
            )
        }
        let connectSeconds = integer(connect, in: 1...3_600, unit: " seconds")
        let totalSeconds = integer(total, in: 1...86_400, unit: " seconds")
        settings.totalTimeout = totalSeconds ?? max(settings.totalTimeout, connectSeconds ?? 0)
        settings.connectTimeout = connectSeconds ?? min(settings.connectTimeout, settings.totalTimeout)
        if settings.totalTimeout < settings.connectTimeout {
            fault(
                .conflict, line: element.line,
                "the total of \(settings.totalTimeout) s is shorter than the \(settings.connectTimeout) s to connect",
                expected: "a total that is at least as long")
        }
    }

    private func readRetry(_ element: XMLElement) -> RetrySchedule {
        inspect(element, children: ["delayTime", "maxRetries"], repeatable: ["delayTime"])
        return readSchedule(element)
    }

    /// The `delayTime` and `maxRetries` in `element`.
    func readSchedule(_ element: XMLElement) -> RetrySchedule {
        var delays: [Int] = []
        for element in element.children("delayTime") {
            guard let text = filledLeaf(element) else { continue }
            guard let more = RetrySchedule.delays(in: text.value), delays.count + more.count <= 1_000 else {
                let word = text.value.split { !$0.isLetter }.last.map(String.init)
                fault(
                    .badValue, line: text.line, "\(quoted(text.value)) is no delay",
                    expected: "such as 5 minutes, or a list such as 3*10 minutes, 2 hours"
                        + " (units: seconds, minutes, hours, days; at most 365 days and 1000 delays)",
                    nearest: word.flatMap { NearestName.of($0, among: RetrySchedule.unitWords) })
                continue
            }
            delays += more
        }
        let maxRetries = integer(filledLeaf(element.child("maxRetries")), in: 0...100_000)
        return RetrySchedule(delays: delays, maxRetries: maxRetries ?? RetrySchedule.standard.maxRetries)
    }

    private func readOrganisationSigner(_ element: XMLElement) -> [OrganisationSigner] {
        let known = ["Address", "Domain", "Issuer", "Serial"]
        inspect(element, children: known, repeatable: Set(known))
        var signers: [OrganisationSigner] = []
        var issuer: Located<String>?
        for child in element.children where child.namespaceURI == nil {
            if let pending = issuer, child.localName != "Serial" {
                fault(.missing, line: pending.line, "<Issuer> stands without <Serial>", expected: "<Serial> behind it")
                issuer = nil
            }
            switch child.localName {
            case "Address": if let address = address(filledLeaf(child)) { signers.append(.address(address)) }
            case "Domain": if let domain = domain(filledLeaf(child)) { signers.append(.domain(domain)) }
            case "Issuer": issuer = filledLeaf(child)
            case "Serial":
                let serial = serialNumber(filledLeaf(child))
                if let issuer, let serial {
                    signers.append(.certificate(issuer: issuer.value, serial: serial))
                } else if issuer == nil {
                    fault(
                        .missing, line: child.line, "<Serial> stands without <Issuer>", expected: "<Issuer> before it")
                }
                issuer = nil
            default: continue
            }
        }
        if let issuer {
            fault(.missing, line: issuer.line, "<Issuer> stands without <Serial>", expected: "<Serial> behind it")
        }
        if element.children.isEmpty {
            fault(
                .missing, line: element.line, "<OrganisationSigner> names no certificate",
                expected: "<Address>, <Domain>, or <Issuer> and <Serial>")
        }
        return signers
    }

    /// Hexadecimal, with or without colons, as certificate viewers show it: lower case, no leading zeros.
    private func serialNumber(_ text: Located<String>?) -> String? {
        guard let text else { return nil }
        let digits = text.value.lowercased().filter { $0 != ":" && $0 != " " }
        if !digits.isEmpty, digits.utf8.count <= 80,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        {
            let significant = digits.drop { $0 == "0" }
            return significant.isEmpty ? "0" : String(significant)
        }
        fault(
            .badValue, line: text.line, "\(quoted(text.value)) is no serial number",
            expected: "hexadecimal digits, such as 4A:1F:03")
        return nil
    }
}
