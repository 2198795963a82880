public import HostProcess

/// The way of a test mail through the house, step by step.
public struct SendTestReport: ConsoleReport, Sendable {
    /// One step, in the order in which they happen.
    public struct Step: Encodable, Sendable {
        /// `dropped`, `claimed`, `signed` or `verified`, `committed`, `relayed`.
        public let name: String
        public let done: Bool
        /// Milliseconds since the mail was dropped.
        public let milliseconds: Int
        /// The event, or the reason why there was none.
        public let text: String
    }

    let v = 1
    public internal(set) var steps: [Step] = []
    /// The step that failed; nil if all were done.
    @OrNull var failed: String?
    /// The remedy; nil where nothing has to be done.
    @OrNull var advice: String?
    /// The entry that the mail became; empty if it was not taken.
    public internal(set) var entry = ""
    let sender: String
    let recipient: String

    private enum CodingKeys: String, CodingKey { case v, steps, failed, advice, entry, sender, recipient }

    init(from sender: String, to recipient: String) {
        self.sender = sender
        self.recipient = recipient
    }

    public var status: ExitStatus { failed == nil ? .success : .unhealthy }

    mutating func add(_ name: String, _ milliseconds: Int, _ text: String) {
        steps.append(Step(name: name, done: true, milliseconds: milliseconds, text: text))
    }

    mutating func fail(_ name: String, _ milliseconds: Int, _ text: String, advice: String) {
        steps.append(Step(name: name, done: false, milliseconds: milliseconds, text: text))
        failed = name
        self.advice = advice
    }

    /// For people.
    public var text: String {
        var lines = ["test mail from \(sender) to \(recipient)" + (entry.isEmpty ? "" : ", entry \(entry)")]
        lines += steps.map { step in
            let mark = step.done ? "[ok]  " : "[FAIL]"
            let time =
                String(repeating: " ", count: max(0, 7 - "\(step.milliseconds)".count)) + "\(step.milliseconds) ms"
            return "\(mark) \(time)  " + step.name.padding(12) + step.text
        }
        if let advice { lines.append("to do: " + advice) }
        return lines.joined(separator: "\n")
    }
}

extension String {
    /// The text with blanks up to `width` columns, and at least one of them.
    func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
