public import InternetMessage

/// What a message's record says, read from its first line to its last.
public struct DeliveryHistory: Sendable, Hashable {
    /// What becomes of one recipient.
    public enum State: Sendable, Hashable {
        case pending
        case sent
        case failed(DeliveryReport)
    }

    /// Unix seconds; nil before the first start.
    public private(set) var arrived: Int?
    /// Where it waited for the relay.
    public private(set) var source = RouteCriteria.Source.delivered
    public private(set) var isToldOfDelay = false
    private var states: [AddrSpec: State] = [:]
    private var lastReports: [AddrSpec: DeliveryReport] = [:]
    private var told: Set<AddrSpec> = []
    private var offered: Set<AddrSpec> = []
    /// To be told of, with what the server said.
    private var relayed: [AddrSpec: DeliveryReport] = [:]

    public init() {}

    public init(lines: some Sequence<String>) {
        for line in lines {
            if let line = DeliveryLine(parsing: line) { add(line) }
        }
    }

    public mutating func add(_ line: DeliveryLine) {
        switch line {
        case .arrived(let time, let source):
            guard arrived == nil else { return }
            arrived = time
            self.source = source
        case .toldOfDelay: isToldOfDelay = true
        case .toldOfFailure(let address): told.insert(address)
        case .toldOfRelay(let address): relayed[address] = nil
        case .offered(let address): offered.insert(address)
        case .report(let address, let report, _):
            offered.remove(address)
            lastReports[address] = report
            // What is done stays done, whatever is said later.
            guard state(of: address) == .pending else { return }
            switch report.outcome {
            case .sent: states[address] = .sent
            case .relayed:
                states[address] = .sent
                relayed[address] = report
            case .failed: states[address] = .failed(report)
            case .deferred, .unknown: break
            }
        }
    }

    public func state(of recipient: AddrSpec) -> State { states[recipient] ?? .pending }
    public func isTold(of recipient: AddrSpec) -> Bool { told.contains(recipient) }
    /// The last that was said about the recipient.
    public func lastReport(of recipient: AddrSpec) -> DeliveryReport? { lastReports[recipient] }

    /// Those to whom a final dot was sent without that its reply was recorded: a crash in that instant. They get the message
    /// again, perhaps for the second time; each is counted.
    public var interrupted: Set<AddrSpec> { offered }

    public func pending(of recipients: [AddrSpec]) -> [AddrSpec] { recipients.filter { state(of: $0) == .pending } }

    /// Those whose message went to where no notifications are sent, of which the sender has not been told.
    public func relayed(of recipients: [AddrSpec]) -> [(recipient: AddrSpec, report: DeliveryReport)] {
        recipients.compactMap { recipient in relayed[recipient].map { (recipient, $0) } }
    }

    /// With the reason of each.
    public func failed(of recipients: [AddrSpec]) -> [(recipient: AddrSpec, report: DeliveryReport)] {
        recipients.compactMap { recipient in
            guard case .failed(let report) = state(of: recipient) else { return nil }
            return (recipient, report)
        }
    }
}
