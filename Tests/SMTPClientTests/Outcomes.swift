import CurlTransfer
import InternetMessage
import Octets
import Synchronization
import TestSupport

@testable import SMTPClient

/// The outcome of a delivery, in words that a test can compare.
struct DeliveryReport: Sendable {
    /// `accepted`, `unknown`, or permanence, scope and phase, and the reply's code where there was one; by local-part.
    var outcomes: [String: String] = [:]
    var summaries: [String: String] = [:]
    var end = ""
    var isOpen = false
    /// The number of reports that were made.
    var reports = 0
    /// To whom each end of a message was about to be sent.
    var offers: [[String]] = []
}

/// A message for tests: five lines, one of them beginning with a dot.
let sample = OctetString("From: a@example.test\nSubject: test\n\nHello\n.dot\n")

func addresses(_ names: [String]) -> [AddrSpec] {
    names.compactMap { AddrSpec(localPart: $0, domain: "example.test") }
}

extension MailConnectionSettings {
    /// For a test's server on this host.
    static func loopback(_ port: Int, _ change: (inout MailConnectionSettings) -> Void = { _ in }) -> Self {
        var settings = MailConnectionSettings(host: "127.0.0.1", port: port, heloName: "client.example.test")
        settings.connectTimeout = .seconds(5)
        settings.openingTimeout = .seconds(4)
        change(&settings)
        return settings
    }
}

extension SMTPTimeouts {
    static let short = {
        var timeouts = SMTPTimeouts()
        timeouts.command = .seconds(3)
        timeouts.data = .seconds(3)
        timeouts.content = .seconds(3)
        timeouts.finalReply = .seconds(3)
        timeouts.slowest = 100_000_000
        return timeouts
    }()
}

extension SMTPSession {
    /// Delivers and keeps what is reported.
    func delivering(
        _ recipients: [String], _ content: some OctetSource = sample, partial: SMTPPartialDelivery = .allowed,
        atOnce: Int = 100
    ) throws(SMTPFailure) -> DeliveryReport {
        let message = try SMTPMessage(content)
        let envelope = SMTPEnvelope(
            sender: .address(addresses(["sender"])[0]), recipients: addresses(recipients))
        var report = DeliveryReport()
        let end = deliver(
            envelope, message, partial: partial, recipientsAtOnce: atOnce,
            offering: { offered in report.offers.append(offered.map { recipients[$0] }) }
        ) { results in
            report.reports += 1
            for result in results {
                let name = recipients[result.recipient]
                report.outcomes[name, default: ""] += Self.word(result.outcome)
                if case .failed(let failure) = result.outcome { report.summaries[name] = failure.summary }
            }
        }
        switch end {
        case .open: report.end = "open"
        case .closed(let failure): report.end = "closed \(Self.word(failure))"
        case .stale: report.end = "stale"
        }
        report.isOpen = isOpen
        return report
    }

    static func word(_ outcome: SMTPRecipientResult.Outcome) -> String {
        switch outcome {
        case .accepted: "accepted"
        case .unknown: "unknown"
        case .failed(let failure): word(failure)
        }
    }

    static func word(_ failure: SMTPFailure) -> String {
        ["\(failure.permanence)", "\(failure.scope)", failure.phase.rawValue, failure.reply.map { "\($0.code)" }]
            .compactMap(\.self).joined(separator: " ")
    }
}

/// Delivers once over a new connection to a server of the test, on a thread of its own.
func deliver(
    to server: ScriptedMailServer, _ recipients: [String] = ["a"], _ content: some OctetSource = sample,
    partial: SMTPPartialDelivery = .allowed, atOnce: Int = 100
) async throws -> DeliveryReport {
    let port = server.port
    return try await onOwnThread {
        Result { () throws -> DeliveryReport in
            do throws(SMTPFailure) {
                let session = try SMTPSession(.loopback(port), timeouts: .short)
                let report = try session.delivering(recipients, content, partial: partial, atOnce: atOnce)
                session.quit()
                return report
            } catch {
                return DeliveryReport(end: "not open " + SMTPSession.word(error))
            }
        }
    }.get()
}
