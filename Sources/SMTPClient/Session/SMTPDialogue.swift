import CurlTransfer
import Octets

/// Performs what a transaction asks for, over a connection.
final class SMTPDialogue {
    let connection: MailConnection
    private let timeouts: SMTPTimeouts
    private let peer: String
    private var reader = SMTPReplyReader()
    /// The end of the present delivery, except for the wait for the last reply.
    private var limit: ContinuousClock.Instant?
    private var unsent: [UInt8] = []
    private var encoder = SMTPContentEncoder()
    private var contentDeadline = ContinuousClock.now
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 16)

    /// The number of octets of a message that are read and sent at once.
    private static let chunk = 65_536
    /// The time for a final reply of a peer that takes no more octets.
    private static let lastWords = Duration.seconds(2)
    /// The least time that is allowed for sending the rest of a message.
    private static let endTime = Duration.seconds(10)

    init(_ connection: MailConnection, _ timeouts: SMTPTimeouts, peer: String) {
        self.connection = connection
        self.timeouts = timeouts
        self.peer = peer
    }

    deinit { buffer.deallocate() }

    /// Runs a transaction to its end; the connection is closed unless it ends open.
    /// - Parameter end: The time by which its commands and its content must be through, however slowly the peer goes
    ///   on.
    func run<Fault: Error>(
        _ transaction: SMTPTransaction, _ envelope: SMTPEnvelope, _ message: SMTPMessage,
        until end: ContinuousClock.Instant, offering: ([Int]) throws(Fault) -> Void,
        _ report: ([SMTPRecipientResult]) throws(Fault) -> Void
    ) throws(Fault) -> (end: SMTPDeliveryEnd, putOff: [Int]) {
        limit = end
        defer { limit = nil }
        var transaction = transaction
        var action = transaction.begin()
        while true {
            switch action {
            case .send(let commands):
                let lines = commands.map { $0.line(envelope, transaction.parameters) }.joined()
                let phase = commands.first?.phase ?? .mail
                action = transaction.handle(say(lines, phase) ?? reply(phase))
            case .awaitReply(let phase): action = transaction.handle(reply(phase))
            case .sendContent:
                if let broken = send(message) {
                    action = transaction.handle(broken)
                    continue
                }
                // When this throws, the end is never sent, and the server throws away what it has.
                try offering(transaction.offered)
                action = transaction.handle(sendEnd())
            case .sendLoneDot: action = transaction.handle(say(".\r\n", .data) ?? reply(.data))
            case .report(let results):
                try report(results)
                action = transaction.handle(.reported)
            case .finish(let end, let putOff):
                if end != .open { connection.hangUp() }
                return (end, putOff)
            }
        }
    }

    /// The reason why a connection that has waited is over. A line that the server sent unasked would be taken for the
    /// reply to the next command, and might refuse a message that the server never saw.
    var failureBeforeFirstCommand: SMTPFailure? {
        guard reader.isWithinReply || connection.hasNews else { return nil }
        return failure(.mail, status: (4, 2), "the server has closed the connection, or spoken unasked")
    }

    /// Sends one command outside of a transaction's order, and waits for its reply.
    /// - Returns: The failure; nil for a positive reply.
    func ask(_ line: String, _ phase: SMTPFailure.Phase, _ scope: SMTPFailure.Scope) -> SMTPFailure? {
        switch say(line, phase) ?? reply(phase) {
        case .reply(let reply):
            return reply.severity == .permanent || reply.severity == .transient
                ? SMTPFailure(reply, scope, phase, phase.words) : nil
        case .disconnected(let failure), .abandoned(let failure): return failure
        case .contentSent, .reported: return nil
        }
    }

    func quit(within allowed: Duration) {
        let deadline = ContinuousClock.now + allowed
        do throws(SMTPBreak) {
            try send(Array("QUIT\r\n".utf8), until: deadline, .reset)
            _ = try read(until: deadline, .reset)
        } catch {
            // It goes either way.
        }
        connection.hangUp()
    }

    // MARK: - Sending

    /// - Returns: The failure; nil if all was sent.
    private func say(_ lines: String, _ phase: SMTPFailure.Phase) -> SMTPTransaction.Event? {
        // A reply that was not asked for would be taken for the reply to the next command.
        guard !reader.isWithinReply else {
            return .abandoned(failure(phase, status: (5, 0), "a reply came that nothing asked for"))
        }
        do throws(SMTPBreak) {
            try send(Array(lines.utf8), until: deadline(phase), phase)
            return nil
        } catch {
            return lastWords(phase) ?? error.event
        }
    }

    /// Returns the time until which the reply to `phase` must have come. The last reply always has its full time,
    /// because cutting it short causes repeats.
    private func deadline(_ phase: SMTPFailure.Phase) -> ContinuousClock.Instant {
        let own = ContinuousClock.now + timeouts.limit(phase)
        guard phase != .finalReply, let limit else { return own }
        return min(own, limit)
    }

    /// Sends the message without its end.
    /// - Returns: The failure; nil if all was sent.
    private func send(_ message: SMTPMessage) -> SMTPTransaction.Event? {
        guard !reader.isWithinReply else {
            return .abandoned(failure(.content, status: (5, 0), "a reply came that nothing asked for"))
        }
        let allowed = ContinuousClock.now + timeouts.content + .seconds(message.size / max(1, timeouts.slowest))
        contentDeadline = min(allowed, limit ?? allowed)
        encoder = SMTPContentEncoder()
        unsent = []
        unsent.reserveCapacity(Self.chunk + Self.chunk / 16)
        do throws(SMTPBreak) {
            try message.content.forEachChunk(size: Self.chunk) { chunk throws(SMTPBreak) in
                encoder.encode(chunk, into: &unsent)
                guard unsent.count >= Self.chunk else { return }
                try send(unsent, until: contentDeadline, .content)
                unsent.removeAll(keepingCapacity: true)
            }
            return nil
        } catch {
            return lastWords(.content) ?? error.event
        }
    }

    /// Sends what is left of the message with its final dot.
    private func sendEnd() -> SMTPTransaction.Event {
        do throws(SMTPBreak) {
            encoder.finish(into: &unsent)
            // The record of the offer may have taken its time.
            try send(unsent, until: max(contentDeadline, .now + Self.endTime), .content)
            unsent = []
            return .contentSent
        } catch {
            return lastWords(.content) ?? error.event
        }
    }

    private func send(
        _ octets: [UInt8], until deadline: ContinuousClock.Instant, _ phase: SMTPFailure.Phase
    ) throws(SMTPBreak) {
        do throws(MailConnectionError) {
            try octets.span.bytes.withUnsafeBytes { octets throws(MailConnectionError) in
                try connection.send(octets, until: deadline)
            }
        } catch {
            throw brokenOff(error, phase)
        }
    }

    /// A server that stops reading often says why: such a reply tells more than the broken connection.
    private func lastWords(_ phase: SMTPFailure.Phase) -> SMTPTransaction.Event? {
        do throws(SMTPBreak) {
            return .reply(try read(until: .now + Self.lastWords, phase))
        } catch {
            return nil
        }
    }

    // MARK: - Receiving

    private func reply(_ phase: SMTPFailure.Phase) -> SMTPTransaction.Event {
        do throws(SMTPBreak) {
            return .reply(try read(until: deadline(phase), phase))
        } catch {
            return error.event
        }
    }

    private func read(
        until deadline: ContinuousClock.Instant, _ phase: SMTPFailure.Phase
    ) throws(SMTPBreak) -> SMTPReply {
        while true {
            do throws(SMTPReplyFault) {
                if let reply = try reader.next() { return reply }
            } catch {
                throw SMTPBreak(event: .abandoned(failure(phase, status: (5, 0), error.detail)))
            }
            let count: Int
            do throws(MailConnectionError) {
                count = try connection.receive(into: buffer, until: deadline)
            } catch {
                throw brokenOff(error, phase)
            }
            guard count > 0 else {
                throw SMTPBreak(
                    event: .disconnected(failure(phase, status: (4, 2), "the server closed the connection")))
            }
            reader.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    // MARK: - Failures

    private func brokenOff(_ error: MailConnectionError, _ phase: SMTPFailure.Phase) -> SMTPBreak {
        let failure = failure(phase, status: (4, 2), error.detail)
        return SMTPBreak(event: error.kind == .lost ? .disconnected(failure) : .abandoned(failure))
    }

    private func failure(
        _ phase: SMTPFailure.Phase, status: (subject: Int, detail: Int), _ detail: String
    ) -> SMTPFailure {
        SMTPFailure(.transient, .route, phase, status: status, "\(peer), \(phase.words): \(detail)")
    }
}

/// The connection is of no more use; what that means depends on where the transaction is.
private struct SMTPBreak: Error {
    let event: SMTPTransaction.Event
}

extension SMTPFailure.Phase {
    /// The phase, in words for a sentence.
    var words: String {
        switch self {
        case .lookup: "looking up the server"
        case .connect: "connecting"
        case .greeting: "greeting"
        case .ehlo: "EHLO"
        case .startTLS: "STARTTLS"
        case .handshake: "TLS handshake"
        case .auth: "AUTH"
        case .preparation: "before the first command"
        case .mail: "MAIL"
        case .rcpt: "RCPT"
        case .data: "DATA"
        case .content: "sending the message"
        case .finalReply: "waiting for the reply to the message"
        case .reset: "RSET"
        }
    }
}
