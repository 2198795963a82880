public import CurlTransfer
public import InternetMessage

/// A connection to a mail server that takes one message after the other.
///
/// Its calls block, so it belongs on a thread of its own and is used by one thread at a time.
/// Dropping it closes the connection; a server throws away what it has of a message then.
public final class SMTPSession {
    private let dialogue: SMTPDialogue
    private let timeouts: SMTPTimeouts
    public let capabilities: SMTPCapabilities
    /// The number of messages it has been given.
    public private(set) var deliveries = 0
    /// False once a delivery has closed it; then it is only to be dropped.
    public private(set) var isOpen = true

    public var isEncrypted: Bool { dialogue.connection.isEncrypted }
    /// The IP address of the server.
    public var peerAddress: String { dialogue.connection.peerAddress }
    /// The reason why an opportunistic connection is in clear although the server offered STARTTLS; nil if it is
    /// encrypted or the server did not.
    public var encryptionFailure: String? { dialogue.connection.encryptionFailure?.description }

    /// Connects, and goes as far as a server's reply to EHLO or AUTH.
    /// - Parameter interruption: Ends this and all later waiting of this session.
    /// - Throws: An ``SMTPFailure`` of the route.
    public init(
        _ settings: MailConnectionSettings, timeouts: SMTPTimeouts = SMTPTimeouts(), interruption: Interruption? = nil
    ) throws(SMTPFailure) {
        self.timeouts = timeouts
        let connection: MailConnection
        do throws(MailConnectionError) {
            connection = try MailConnection.open(settings, interruption: interruption)
        } catch {
            throw SMTPFailure(error, settings)
        }
        capabilities =
            connection.capabilityLines.isEmpty
            ? SMTPCapabilities() : SMTPCapabilities(ehloLines: connection.capabilityLines)
        dialogue = SMTPDialogue(
            connection, timeouts, peer: "\(settings.host):\(settings.port)")
    }

    /// Delivers one message to all recipients of its envelope, in more than one transaction where the server demands
    /// it.
    ///
    /// Recipients that are refused are reported before the message is sent. The reply to the final dot is reported
    /// before anything else is said to the server. When `report` throws, the connection is closed at once, so that the
    /// server cannot accept anything more without a record of it.
    /// - Parameters:
    ///   - recipientsAtOnce: The largest number of recipients in one transaction, where partial delivery is allowed;
    ///     otherwise all are named.
    ///   - offering: Called for the recipients of a transaction when everything but the end of the message was sent to
    ///     them. From here until the reply it is unknown whether the server took it. When it throws, the end is not
    ///     sent.
    ///   - report: Keeps results durably. Each recipient appears once in all reports together; when the end is
    ///     ``SMTPDeliveryEnd/stale(_:)``, at most once.
    /// - Throws: The error that `offering` or `report` throws; the connection is closed then.
    public func deliver<Fault: Error>(
        _ envelope: SMTPEnvelope, _ message: SMTPMessage, partial: SMTPPartialDelivery = .allowed,
        recipientsAtOnce: Int = 100, offering: ([Int]) throws(Fault) -> Void,
        report: ([SMTPRecipientResult]) throws(Fault) -> Void
    ) throws(Fault) -> SMTPDeliveryEnd {
        precondition(isOpen, "this connection is over")
        var delivery = SMTPDelivery(envelope, message, capabilities, partial: partial, atOnce: recipientsAtOnce)
        let end =
            ContinuousClock.now + timeouts.message + .seconds(message.size / max(1, timeouts.slowest))
        var beginning = deliveries == 0 ? SMTPTransaction.Beginning.fresh : .afterPause
        deliveries += 1
        if beginning == .afterPause, let failure = dialogue.failureBeforeFirstCommand {
            isOpen = false
            dialogue.connection.hangUp()
            return .stale(failure)
        }
        if !delivery.refusals.isEmpty { try closing { () throws(Fault) in try report(delivery.refusals) } }
        while let recipients = delivery.nextRecipients() {
            let transaction = SMTPTransaction(
                envelope, recipients: recipients, SMTPMailParameters(message, envelope, recipients, capabilities),
                pipelines: capabilities.pipelines, partial: partial, beginning: beginning)
            beginning = .fresh
            let (outcome, putOff) = try closing { () throws(Fault) in
                try dialogue.run(transaction, envelope, message, until: end, offering: offering, report)
            }
            delivery.putOff(putOff)
            guard outcome == .open else {
                isOpen = false
                let left = delivery.abandon(outcome)
                if !left.isEmpty { try report(left) }
                return outcome
            }
        }
        return .open
    }

    /// Names a sender and a recipient to the server and takes both back, so that no message is sent (RFC 5321 §3.3).
    ///
    /// A server that accepts them may still refuse a message later.
    /// - Returns: The reason why mail for `recipient` is not taken; nil if it is.
    public func refusal(of recipient: AddrSpec, from sender: AddrSpec) -> SMTPFailure? {
        deliveries += 1
        let recipient = recipient.withASCIIDomain ?? recipient
        let sender = sender.withASCIIDomain ?? sender
        if let failure = dialogue.ask("MAIL FROM:<\(sender)>\r\n", .mail, .message) { return failure }
        if let failure = dialogue.ask("RCPT TO:<\(recipient)>\r\n", .rcpt, .recipient) {
            _ = dialogue.ask("RSET\r\n", .reset, .route)
            return failure
        }
        return dialogue.ask("RSET\r\n", .reset, .route)
    }

    /// Says QUIT and closes. The server's reply to it does not matter.
    /// - Parameter limit: The time that its reply may take.
    public consuming func quit(within limit: Duration? = nil) {
        guard isOpen else { return }
        isOpen = false
        dialogue.quit(within: min(limit ?? timeouts.quit, timeouts.quit))
    }

    /// True if the server has hung up, or said something unasked, while nothing was under way.
    public var hasEnded: Bool { !isOpen || dialogue.failureBeforeFirstCommand != nil }

    private func closing<Result, Fault: Error>(_ body: () throws(Fault) -> Result) throws(Fault) -> Result {
        do throws(Fault) {
            return try body()
        } catch {
            isOpen = false
            dialogue.connection.hangUp()
            throw error
        }
    }
}
