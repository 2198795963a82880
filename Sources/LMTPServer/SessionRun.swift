import Glibc
import HostProcess
import LMTP
import MailDrop
import Spool

/// One session from its greeting to its end, on a thread of its own.
struct SessionRun {
    let queue: MaildirDelivery.Destination
    let options: LMTPServiceOptions
    let room: IntakeRoom
    let host: String
    let log: ServiceLog
    /// Called when a directory could not be made durable: nothing may be taken after that.
    let failed: @Sendable () -> Void

    func run(_ descriptor: CInt, stop: CInt) {
        var limits = LMTPLimits()
        limits.messageOctets = options.messageOctets
        limits.recipients = options.recipients
        var session = LMTPSession(host: host, limits: limits)
        var connection = Connection(adopting: descriptor, stop: stop)
        connection.queue(session.greeting)
        do throws(Connection.Ended) {
            try converse(&session, &connection)
        } catch {
            let farewell: LMTPReply? =
                switch error {
                case .closed: nil
                case .late: LMTPReply(421, "4.4.2", "\(host) waited too long")
                case .stopped: LMTPReply(421, "4.3.2", "\(host) is stopping")
                }
            if session.isReceiving {
                log.write(
                    "warning", "a message was cut off", [("folder", queue.rawValue), ("reason", "\(error)")])
            }
            guard let farewell else { return }
            connection.queue(farewell)
            // The client may have gone.
            try? connection.flush(by: Deadline(seconds: 2))
        }
    }

    private func converse(
        _ session: inout LMTPSession, _ connection: inout Connection
    ) throws(Connection.Ended) {
        var reception: Reception?
        var deadline = Deadline(seconds: options.patience)
        var messageDeadline: Deadline?
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            switch session.next() {
            case .wait:
                try connection.flush(by: Deadline(seconds: options.patience))
                if session.isReceiving {
                    deadline = Deadline(seconds: options.patience).before(messageDeadline)
                }
                let count = try connection.read(into: buffer, by: deadline)
                session.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            case .reply(let reply):
                connection.queue(reply)
                deadline = Deadline(seconds: options.patience)
                // A client that pipelines without reading must not fill the memory.
                if connection.owesMuch { try connection.flush(by: deadline) }
            case .admit(let octets):
                session.answer(admission: refusal(octets))
            case .begin(let transaction):
                do throws(SpoolError) {
                    reception = try Reception(transaction, into: queue, spool: options.spool)
                    session.answer(beginning: nil)
                } catch {
                    session.answer(beginning: reply(to: error))
                }
                messageDeadline = Deadline(seconds: options.maximumMessageTime)
            case .content(let octets):
                reception?.write(octets)
            case .drop:
                reception = nil
                log.write("notice", "a message was too large", [("folder", queue.rawValue)])
            case .commit(let transaction):
                let taken = reception
                reception = nil
                session.answer(outcome: commit(taken, transaction))
            case .close(let reply):
                connection.queue(reply)
                try connection.flush(by: Deadline(seconds: 2))
                return
            }
        }
    }

    /// The reply where there is no room; nil where there is.
    private func refusal(_ octets: Int?) -> LMTPReply? {
        do throws(SpoolError) {
            guard let lack = try room.lack(forOctets: octets ?? 0) else { return nil }
            log.writeRarely("warning", "no room for messages", [("folder", queue.rawValue), ("reason", lack)])
            return LMTPReply(452, "4.3.1", lack)
        } catch {
            return reply(to: error)
        }
    }

    private func commit(_ reception: Reception?, _ transaction: LMTPTransaction) -> [LMTPReply] {
        guard let reception else { return transaction.recipients.map { _ in LMTPReply(451, "4.3.0", "Not taken") } }
        let outcomes = reception.commit()
        var told: Set<EntryID> = []
        for case .success(let entry) in outcomes where told.insert(entry).inserted {
            room.noteArrival()
            log.write(
                "info", "taken",
                [("entry", "\(entry)"), ("folder", queue.rawValue), ("octets", "\(reception.octets)")]
                    + (transaction.queueID.map { [("queueId", $0)] } ?? []))
        }
        return outcomes.map { outcome in
            switch outcome {
            // A mail server logs a reply beside its own queue id: that ties the two records together.
            case .success(let entry): LMTPReply(250, "2.1.5", "entry \(entry)")
            case .failure(let error): reply(to: error)
            }
        }
    }

    private func reply(to error: SpoolError) -> LMTPReply {
        log.writeRarely(
            "error", "a message could not be put into the spool",
            [("folder", queue.rawValue), ("error", error.description)])
        if error.isFatal { failed() }
        return [ENOSPC, EDQUOT].contains(error.errno)
            ? LMTPReply(452, "4.3.1", "The spool has no room: \(error.explanation)")
            : LMTPReply(451, "4.3.0", "The message cannot be put into the spool now: \(error.explanation)")
    }
}
