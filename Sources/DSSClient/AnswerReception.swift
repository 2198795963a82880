import CurlTransfer
import DSSProtocol
import DSSXML
import InternetMessage
import Octets

/// Feeds an answer into its decoder while it arrives.
///
/// Unchecked: the decoder is used by the thread of the transfers until the transfer has ended, and from then on by the
/// caller that waited for it.
final class AnswerReception: HTTPAnswerReceiving, @unchecked Sendable {
    private let decoder: AnswerDecoder
    /// The time of the answer by the server's clock (RFC 9110 §6.6.1), Unix seconds; nil if it does not say.
    private(set) var date: Int?

    init(_ question: DSSQuestion, dialect: Dialect, answers: any OctetCollectorMaking) {
        decoder = AnswerDecoder(question, dialect: dialect, answers: answers)
    }

    func receive(_ head: HTTPHead) {
        date = head.fields.first { $0.name.lowercased() == "date" }
            .flatMap { MailDate(parsing: $0.value) }.map { Int($0.unixSeconds) }
        decoder.begin(status: head.status, fields: head.fields.map { ($0.name, $0.value) })
    }

    func receive(_ octets: UnsafeRawBufferPointer) -> Bool { decoder.decode(octets) }

    /// The outcome of the transfer.
    /// - Parameter now: By our own clock, Unix seconds.
    func outcome(_ error: TransferError?, now: Int) -> DSSOutcome {
        let outcome = outcome(error)
        guard case .refused(let refusal) = outcome, let date else { return outcome }
        return .refused(refusal.given(at: date, now: now))
    }

    private func outcome(_ error: TransferError?) -> DSSOutcome {
        guard let error else { return decoder.finish() }
        switch error.kind {
        case .stoppedByReceiver: return decoder.finish()
        case .tooLarge: return .refused(Refusal(.reader, message: error.detail))
        case .url: return .unreachable(Unreachability(.address, error.detail))
        case .connection: return .unreachable(Unreachability(.connection, error.detail))
        case .timeout: return .unreachable(Unreachability(.timeout, error.detail))
        case .tls: return .unreachable(Unreachability(.tls, error.detail))
        case .clientCertificate: return .unreachable(Unreachability(.clientCertificate, error.detail))
        case .proxy: return .unreachable(Unreachability(.proxy, error.detail))
        case .answer: return .unreachable(Unreachability(.noAnswer, error.detail))
        case .cancelled: return .unreachable(Unreachability(.cancelled, error.detail))
        case .machine(let errno):
            return .unreachable(Unreachability(.machine, error.detail, localFault: errno))
        case .internal: return .unreachable(Unreachability(.noAnswer, error.detail))
        }
    }
}

extension DSSOutcome {
    /// The reason why there was no answer; nil if there was one.
    var silence: String? {
        guard circuitEvent == .unreached, case .unreachable(let reason) = self else { return nil }
        // For a Unix socket the transfer speaks of a host and a port that nobody has named.
        return reason.kind == .connection && reason.message.hasPrefix("Failed to connect")
            ? "cannot connect" : reason.message
    }

    /// The event for the circuit breaker of the address. Only what costs time, or shows that nobody listens, counts
    /// against the address.
    var circuitEvent: CircuitBreaker.Event {
        guard case .unreachable(let reason) = self else { return .reached }
        switch reason.kind {
        case .connection, .timeout, .tls, .proxy, .noAnswer: return .unreached
        case .status(let status): return status >= 500 ? .unreached : .reached
        case .clientCertificate, .storage, .machine, .notTried, .cancelled, .address: return .abandoned
        }
    }
}
