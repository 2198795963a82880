import DSSProtocol
import Explanations
import Processing

/// The attempts of one call, and the failure that they amount to when none succeeded.
struct Attempts {
    private let service: String
    private let dialect: Dialect
    private var reports: [String] = []
    private var last: DSSOutcome?
    private var pointsAtConfiguration = false
    private var answer: String?
    private var localFault: Int32?

    init(service: String, dialect: Dialect) {
        self.service = service
        self.dialect = dialect
    }

    mutating func note(_ outcome: DSSOutcome, from address: String) {
        switch outcome {
        case .signed, .verified: return
        case .refused(let refusal):
            reports.append("\(address) refused: \(refusal.words)")
            pointsAtConfiguration = pointsAtConfiguration || refusal.pointsAtConfiguration
            answer = refusal.answer ?? answer
        case .unreachable(let reason):
            reports.append("\(address): \(reason.message)")
            pointsAtConfiguration = pointsAtConfiguration || reason.pointsAtConfiguration
            localFault = reason.localFault ?? localFault
        }
        last = outcome
    }

    /// Transient when the address tried last may do better another time.
    var failure: Failure {
        let isTransient = last?.isTransient(in: dialect) ?? true
        let told = reports.isEmpty ? "no address" : reports.joined(separator: "; then ")
        if isTransient, let localFault {
            return Failure(localFault: localFault, "the \(service) service gave no result: \(told)")
        }
        var failure = Failure(
            isTransient ? .transient : .permanent, "the \(service) service gave no result: \(told)",
            advice: .server,
            pointsAtConfiguration: pointsAtConfiguration, answer: answer)
        if case .unreachable(let reason) = last {
            switch reason.kind {
            case .connection, .timeout, .tls, .proxy, .noAnswer, .notTried: failure.serverIsAway = true
            case .status, .clientCertificate, .storage, .machine, .cancelled, .address: break
            }
        }
        if !isTransient, case .refused(let refusal) = last { failure.refusesDocument = refusal.isAboutDocument }
        return failure
    }
}

extension Refusal {
    /// The message, led by the result's words where it does not tell them itself.
    fileprivate var words: String {
        guard case .result(let major, let minor) = source else { return message }
        let result = [major.word, minor?.word].compactMap(\.self).filter { !$0.isEmpty && !message.contains($0) }
        return result.isEmpty ? message : "\(message) (\(result.joined(separator: ", ")))"
    }
}
