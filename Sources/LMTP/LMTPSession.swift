/// One connection of a client, as a value.
///
/// The caller appends what it receives, and performs the steps that ``next()`` returns until that is ``Step/wait``.
/// After ``Step/admit(_:)`` it calls ``answer(admission:)``, after ``Step/begin(_:)`` ``answer(beginning:)`` and after
/// ``Step/commit(_:)`` ``answer(outcome:)`` before it asks again.
package struct LMTPSession: Sendable {
    /// The next thing for the caller to do.
    package enum Step: Hashable, Sendable {
        /// Nothing until more octets come; replies that were collected must be sent now (RFC 2920 §3.2).
        case wait
        case reply(LMTPReply)
        /// See if there is room for a message of so many octets; nil if the size is not known.
        case admit(octets: Int?)
        /// Make room for the message of this transaction.
        case begin(LMTPTransaction)
        /// Octets of the message.
        case content([UInt8])
        /// The message is complete: make it durable.
        case commit(LMTPTransaction)
        /// The message is complete and too large: drop what was written of it.
        case drop
        /// Send this, then close the connection.
        case close(LMTPReply)
    }

    private enum State {
        case greeted
        case ready
        case admitting(LMTPTransaction)
        case transaction(LMTPTransaction)
        case beginning(LMTPTransaction)
        case content(LMTPTransaction, DataDecoder, octets: Int)
        /// All of it was passed on.
        case complete(LMTPTransaction)
        case committing(LMTPTransaction)
        case closed
    }

    private let limits: LMTPLimits
    private let host: String
    private var state = State.greeted
    private var input: [UInt8] = []
    /// The first octet of `input` that is not used yet.
    private var start = 0
    /// The rest of a line that is too long is passed over.
    private var isOverlong = false
    private var passedOver = 0
    private var faults = 0
    private var queueID: String?
    private var owed: [LMTPReply] = []

    /// - Parameter host: The name by which the server calls itself.
    package init(host: String, limits: LMTPLimits = LMTPLimits()) {
        self.host = host
        self.limits = limits
    }

    package var greeting: LMTPReply { LMTPReply(220, nil, "\(host) LMTP SES") }

    /// True while a message is being received.
    package var isReceiving: Bool {
        if case .content = state { true } else { false }
    }

    /// True between two transactions.
    package var isIdle: Bool {
        switch state {
        case .greeted, .ready: start == input.count
        default: false
        }
    }

    package mutating func append(_ octets: UnsafeRawBufferPointer) {
        if start > 0 {
            input.removeFirst(start)
            start = 0
        }
        input.append(contentsOf: octets)
    }

    package mutating func next() -> Step {
        if !owed.isEmpty { return .reply(owed.removeFirst()) }
        switch state {
        case .closed: return .wait
        case .content(let transaction, let decoder, let octets):
            return receive(transaction, decoder, octets)
        case .complete(let transaction):
            state = .committing(transaction)
            return .commit(transaction)
        case .greeted, .ready, .transaction:
            guard let line = nextLine() else { return .wait }
            switch line {
            case .failure(let reply): return refuse(reply)
            case .success(let line):
                do throws(LMTPReply) {
                    return try perform(LMTPCommand(parsing: line))
                } catch {
                    return refuse(error)
                }
            }
        case .admitting, .beginning, .committing:
            preconditionFailure("the caller owes an answer")
        }
    }

    // MARK: - Answers of the caller

    /// - Parameter refusal: nil if there is room.
    package mutating func answer(admission refusal: LMTPReply?) {
        guard case .admitting(let transaction) = state else { preconditionFailure("nothing was asked") }
        state = refusal == nil ? .transaction(transaction) : .ready
        owed.append(refusal ?? LMTPReply(250, "2.1.0", "Sender accepted"))
    }

    /// - Parameter refusal: nil if the message may come.
    package mutating func answer(beginning refusal: LMTPReply?) {
        guard case .beginning(let transaction) = state else { preconditionFailure("nothing was asked") }
        state = refusal == nil ? .content(transaction, DataDecoder(), octets: 0) : .ready
        owed.append(refusal ?? LMTPReply(354, nil, "Send the message, end with CRLF . CRLF"))
    }

    /// - Parameter replies: One for each recipient of the transaction, in order.
    package mutating func answer(outcome replies: [LMTPReply]) {
        guard case .committing(let transaction) = state else { preconditionFailure("nothing was asked") }
        precondition(replies.count == transaction.recipients.count, "RFC 2033 §4.2: one reply for each recipient")
        state = .ready
        faults = 0
        owed += replies
    }

    // MARK: - Commands

    private mutating func refuse(_ reply: LMTPReply) -> Step {
        // An address or a size that is refused is the message's fault, not the client's.
        if reply.status?.hasPrefix("5.5.") == true { faults += 1 }
        guard faults < limits.faults, passedOver <= 16 * limits.commandOctets else {
            state = .closed
            return .close(LMTPReply(421, "4.7.0", "Too many faults"))
        }
        return .reply(reply)
    }

    private mutating func perform(_ command: LMTPCommand) throws(LMTPReply) -> Step {
        switch command {
        case .lhlo:
            state = .ready
            return .reply(LMTPReply(250, nil, [host] + capabilities))
        case .quit:
            state = .closed
            return .close(LMTPReply(221, "2.0.0", "Bye"))
        case .noop: return .reply(LMTPReply(250, "2.0.0", "Ok"))
        case .verify: return .reply(LMTPReply(252, "2.1.5", "Send the message and see"))
        case .reset:
            if case .greeted = state {} else { state = .ready }
            return .reply(LMTPReply(250, "2.0.0", "Ok"))
        case .forward(let queueID):
            guard case .ready = state else { throw Self.outOfOrder("XFORWARD comes before MAIL") }
            self.queueID = queueID
            return .reply(LMTPReply(250, "2.0.0", "Ok"))
        case .mail(let sender, let parameters):
            guard case .ready = state else {
                if case .greeted = state { throw Self.outOfOrder("Say LHLO first") }
                throw Self.outOfOrder("A transaction is under way: say RSET first")
            }
            if let size = parameters.size, size > limits.messageOctets { throw tooLarge }
            state = .admitting(
                LMTPTransaction(
                    sender: sender, size: parameters.size, returned: parameters.returned,
                    identifier: parameters.identifier, queueID: queueID))
            queueID = nil
            return .admit(octets: parameters.size)
        case .rcpt(let address, let parameters):
            guard case .transaction(var transaction) = state else { throw Self.outOfOrder("MAIL comes before RCPT") }
            guard transaction.recipients.count < limits.recipients else {
                return .reply(LMTPReply(452, "4.5.3", "Too many recipients: send the rest in another transaction"))
            }
            transaction.recipients.append(
                LMTPTransaction.Recipient(
                    address: address, notify: parameters.notify, original: parameters.original))
            state = .transaction(transaction)
            return .reply(LMTPReply(250, "2.1.5", "Recipient accepted"))
        case .data:
            guard case .transaction(let transaction) = state else { throw Self.outOfOrder("MAIL comes before DATA") }
            guard !transaction.recipients.isEmpty else {
                // RFC 2033 §4.2.
                throw LMTPReply(503, "5.5.1", "No valid recipients")
            }
            state = .beginning(transaction)
            return .begin(transaction)
        }
    }

    private var capabilities: [String] {
        [
            "PIPELINING", "SIZE \(limits.messageOctets)", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN",
            "XFORWARD IDENT",
        ]
    }

    private static func outOfOrder(_ text: String) -> LMTPReply { LMTPReply(503, "5.5.1", text) }

    private var tooLarge: LMTPReply {
        LMTPReply(552, "5.3.4", "The message is larger than \(limits.messageOctets) octets")
    }

    // MARK: - Lines

    /// The next line without its end; nil if it has not come yet.
    private mutating func nextLine() -> Result<ArraySlice<UInt8>, LMTPReply>? {
        let search = input[start...]
        guard let end = search.firstIndex(of: 0x0A) else {
            if input.count - start > limits.commandOctets {
                passedOver += input.count - start
                start = input.count
                isOverlong = true
                // A line without an end is not waited for.
                if passedOver > 16 * limits.commandOctets { return .failure(Self.overlong) }
            }
            return nil
        }
        let line = input[start..<end]
        start = end + 1
        if isOverlong || line.count + 1 > limits.commandOctets {
            isOverlong = false
            return .failure(Self.overlong)
        }
        passedOver = 0
        guard line.last == 0x0D else {
            return .failure(LMTPReply(500, "5.5.2", "The line does not end with CRLF"))
        }
        let command = line.dropLast()
        guard command.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            return .failure(LMTPReply(500, "5.5.2", "The command has a control character"))
        }
        return .success(command)
    }

    private static let overlong = LMTPReply(500, "5.5.2", "The line is too long")

    // MARK: - Content

    private mutating func receive(_ transaction: LMTPTransaction, _ given: DataDecoder, _ before: Int) -> Step {
        var decoder = given
        var content: [UInt8] = []
        content.reserveCapacity(input.count - start)
        let (used, isEnded) = input.withUnsafeBufferPointer {
            decoder.decode(UnsafeBufferPointer(rebasing: $0[start...]), into: &content)
        }
        start += used
        let octets = before + content.count
        let isTooLarge = octets > limits.messageOctets
        if isTooLarge { content = [] }
        guard isEnded else {
            state = .content(transaction, decoder, octets: octets)
            return content.isEmpty ? .wait : .content(content)
        }
        guard !isTooLarge else {
            state = .ready
            owed = transaction.recipients.map { _ in tooLarge }
            return .drop
        }
        state = .complete(transaction)
        return content.isEmpty ? next() : .content(content)
    }
}
