/// An enhanced mail system status code (RFC 3463): class, subject, detail.
public struct EnhancedStatus: Sendable, Hashable, CustomStringConvertible {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    public let statusClass: Int
    /// 0 to 999.
    public let subject: Int
    /// 0 to 999.
    public let detail: Int

    init(_ statusClass: Int, _ subject: Int, _ detail: Int) {
        self.statusClass = statusClass
        self.subject = subject
        self.detail = detail
    }

    /// Reads the code at the beginning of `text`, up to a blank or the end.
    /// - Returns: nil when there is none.
    public init?(beginning text: some StringProtocol) {
        let parts = text.prefix { $0 != " " }.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part -> Int? in
            (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(part) : nil
        }
        guard parts.count == 3, numbers.count == 3, [2, 4, 5].contains(numbers[0]) else { return nil }
        self.init(numbers[0], numbers[1], numbers[2])
    }

    public var description: String { "\(statusClass).\(subject).\(detail)" }
}
