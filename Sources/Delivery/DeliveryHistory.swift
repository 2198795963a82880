public import InternetMessage

/// The content of a message's record, read from its first line to its last.
public struct DeliveryHistory: Sendable, Hashable {
    /// The state of one recipient.
    public enum State: Sendable, Hashable {
        case pending
        case sent
        case failed(DeliveryReport)
    }

    /// Unix seconds; nil before the first start.
    public private(set) var arrived: Int?
    /// The folder in which the message waited for the relay.
    public private(set) var source = RouteCriteria.Source.delivered
    public private(set) var isToldOfDelay = false
    private var states: [AddrSpec: State] = [:]
    private var lastReports: [AddrSpec: DeliveryReport] = [:]
    private var told: Set<AddrSpec> = []
    /// The recipients of the last offer whose report is not recorded.
    public private(set) var unanswered: Set<AddrSpec> = []
    /// The recipients of an earlier offer that was never answered. A later reply says nothing about that offer.
    private var uncertain: Set<AddrSpec> = []
    /// The number of times each recipient was offered the message without a recorded reply.
    private var unrecorded: [AddrSpec: Int] = [:]
    /// The number of times that no server was reached for the waiting recipients.
    public private(set) var unreachedCount = 0

    /// Starts in a row that got as far as a server and had no end.
    public private(set) var startsInVain = 0

    /// Starts in vain after which it is tried no more.
    public static let maximumStartsInVain = 20
    /// The number of offers to a recipient without a record of their result, after which the message is not offered
    /// again.
    public static let maximumUnrecorded = 5
    /// The recipients whose acceptance has to be reported, with the server's reply.
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
        case .unreached:
            unreachedCount += 1
            startsInVain = 0
        case .started: startsInVain += 1
        case .ended: startsInVain = 0
        case .offered(let address):
            if !unanswered.insert(address).inserted { uncertain.insert(address) }
            unrecorded[address, default: 0] += 1
        case .unanswered(let address):
            if unanswered.remove(address) != nil { uncertain.insert(address) }
        case .report(let address, let report, _):
            startsInVain = 0
            if unanswered.remove(address) != nil { unrecorded[address, default: 1] -= 1 }
            guard report.outcome != .notOffered else { return }
            lastReports[address] = report
            // A recipient who is done stays done, whatever comes later.
            guard state(of: address) == .pending else { return }
            switch report.outcome {
            case .sent: states[address] = .sent
            case .relayed:
                states[address] = .sent
                relayed[address] = report
            case .failed: states[address] = .failed(report)
            case .deferred, .unknown, .notOffered: break
            }
        }
    }

    public func state(of recipient: AddrSpec) -> State { states[recipient] ?? .pending }
    public func isTold(of recipient: AddrSpec) -> Bool { told.contains(recipient) }
    /// The last that was said about the recipient.
    public func lastReport(of recipient: AddrSpec) -> DeliveryReport? { lastReports[recipient] }

    /// The recipients for whom a final dot was sent before its reply was recorded, because of a crash in that instant.
    /// They get the message again, perhaps for the second time; each is counted.
    public var interrupted: Set<AddrSpec> { unanswered.union(uncertain) }

    /// Returns the recipients who may have the message several times already, because no result could ever be recorded.
    /// They are not tried again.
    public func exhausted(of recipients: [AddrSpec]) -> [AddrSpec] {
        recipients.filter { state(of: $0) == .pending && unrecorded[$0, default: 0] >= Self.maximumUnrecorded }
    }

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
