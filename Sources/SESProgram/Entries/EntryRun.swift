import Composition
import InternetMessage
import Logging
import MessageInspection
import Octets
import Processing
import ProgramLife
import Spool
import Workflows

/// One start of one entry: from its octets to its published outputs.
final class EntryRun {
    enum Interruption: Error {
        /// The process is to stop; the entry stays where it is.
        case stopped
        /// It is not read at all.
        case tooLarge(octets: Int)
        case spool(SpoolError)
    }

    enum Ending {
        case published([PublishedFile])
        case deferred(PublishedFile, due: Int)
    }

    private let transaction: Transaction
    private let configuration: LiveConfiguration
    private let calls: OrderlyCalls
    private let spool: Spool
    private let gate: IntakeGate
    private let log: Logger
    /// The reasons for the outcome, for log, journal and health.
    private(set) var account = Outcome.Account()
    /// The mail server's identifier of the message, which the results keep; nil before it is read, or without one.
    private var queueID: String?
    /// Octets of the message; nil before it is read.
    private var size: Int?
    private let begun = ContinuousClock.now
    /// The word for what became of the entry; nil as long as nothing has.
    private(set) var outcome: String?
    var duration: Duration { begun.duration(to: .now) }

    /// - Parameter server: The lane of its signing server; nil for a message that is processed alone.
    init(
        transaction: Transaction, configuration: LiveConfiguration, server: ServerLane?, spool: Spool, gate: IntakeGate,
        log: Logger
    ) {
        self.transaction = transaction
        self.configuration = configuration
        self.spool = spool
        self.gate = gate
        self.log = log
        calls = OrderlyCalls(
            configuration.services.signatures, in: server, for: transaction, limit: configuration.maximumAttempt
        ) { gate.note($0, about: "the name of a message in work") }
    }

    func toEnd() async throws(Interruption) -> Ending {
        // A start that follows another one is told: the journal then shows that something went wrong.
        if transaction.starts > 1 { tell(.claimed) }
        // Composing and writing the result is part of its turn: so no more messages are held than those that had one.
        defer { calls.end() }
        do {
            return try await work()
        } catch .tooLarge(let octets) {
            return .published(try await refuse(octets: octets))
        }
    }

    /// The number of times the work starts over within one attempt because the claimed file changed.
    static let maximumChanges = 3

    private func work() async throws(Interruption) -> Ending {
        for _ in 0..<Self.maximumChanges {
            let (outcome, writesLF) = try await outcome()
            account = outcome.account
            if Task.isCancelled { throw .stopped }
            switch outcome.disposal {
            case .defer(let attempts, let delay):
                return try leave(attempts: attempts, delay: delay)
            case .waitForTurn: return try leave(attempts: transaction.attempts, delay: 0)
            case .putBack(let errno):
                throw .spool(SpoolError(.system, path: spool.path, errno: errno, outcome.account.reason))
            case .publish(let outputs):
                if let files = try publish(outputs, writesLF: writesLF) { return .published(files) }
                log.notice("the file changed while it was worked on; starting over", metadata: identity)
            }
        }
        return try leaveChanging()
    }

    private func leave(attempts: Int, delay: Int) throws(Interruption) -> Ending {
        let due = configuration.services.now() + delay
        tell(.deferred, attempts: attempts)
        let file = try spooled { () throws(SpoolError) in try transaction.defer(attempts: attempts, due: due) }
        logEnd("deferred", [file], extra: ["attempt": "\(attempts)", "due": "\(due)"])
        return .deferred(file, due: due)
    }

    /// Ends an attempt on a file that its writer still changes. Each round costs a call to the signing server, so the
    /// message waits for the schedule of retries, and in the end goes unchanged to `blocked`.
    private func leaveChanging() throws(Interruption) -> Ending {
        let attempts = transaction.attempts + 1
        account.reason =
            "the file was changed \(Self.maximumChanges) times while it was worked on, so its writer has not finished; "
            + "write into tmp/ and rename into new/ when the message is complete"
        account.failure = Failure(.transient, account.reason)
        guard let delay = configuration.services.retryDelay(attempts) else { return .published([try block()]) }
        return try leave(attempts: attempts, delay: delay)
    }

    /// Ends a message above the limit. Only its header is read into memory, because the limit is there to prevent the
    /// reading of all of it.
    private func refuse(octets: Int) async throws(Interruption) -> [PublishedFile] {
        let processor = configuration.processor
        let (raw, block): (OctetString, OctetString?)
        if processor.refusesWhole {
            // A large file is copied to a private one and mapped, not held in memory.
            let file = try read()
            (raw, block) = (file.message, file.block)
        } else {
            let head = try spooled { () throws(SpoolError) in
                try transaction.readHead(limit: Message.Limits().headerOctets + 4)
            }
            (raw, block) = (head.beginning, head.block)
        }
        let ending = LineEnding.of(raw)
        let entry = entry(raw, block, canonical: try canonical(raw, ending), ending)
        let outcome = processor.refuse(entry, octets: octets, limit: configuration.maximumMessageSize)
        account = outcome.account
        guard case .publish(let outputs) = outcome.disposal, let files = try publish(outputs, writesLF: ending == .lf)
        else { throw .stopped }
        return files
    }

    private func block() throws(Interruption) -> PublishedFile {
        tell(.published)
        let file = try spooled { () throws(SpoolError) in try transaction.block() }
        logEnd("blocked", [file])
        return file
    }

    /// Hands a message that ended three starts to the administrator unchanged, in base64, with nothing of it parsed.
    func isolate() throws(Interruption) -> [PublishedFile] {
        guard configuration.processor.policy.administrator != nil else {
            account.reason = UnreadMessage.poisonReason
            return [try block()]
        }
        let file = try read()
        let outcome = UnreadMessage.poisoned(
            entry: "\(transaction.entry)", direction: direction, file: file.octets,
            policy: configuration.processor.policy, services: configuration.services)
        account = outcome.account
        guard case .publish(let outputs) = outcome.disposal, let files = try publish(outputs, writesLF: false) else {
            throw .stopped
        }
        return files
    }

    /// - Returns: nil when the claimed file changed meanwhile: nothing was published, and the work starts over.
    private func publish(_ outputs: [Output], writesLF: Bool) throws(Interruption) -> [PublishedFile]? {
        for output in outputs where output.isClaimedFile == false {
            _ = try spooled { () throws(SpoolError) in
                try transaction.add(output: staged(output, writesLF: writesLF))
            }
        }
        for output in outputs where output.isClaimedFile {
            _ = try spooled { () throws(SpoolError) in
                try transaction.addClaimedFile(to: Self.folder(output.folder), order: Self.order(output))
            }
        }
        tell(.committed, to: transaction.outputs)
        guard try spooled({ () throws(SpoolError) in try transaction.commit() }) else { return nil }
        // The line before it says all.
        append(JournalEvent(.published, entry: transaction.entry))
        let files = try spooled { () throws(SpoolError) in try transaction.publish() }
        logEnd(outputs.map(\.word.rawValue).joined(separator: ","), files)
        return files
    }

    private func staged(_ output: Output, writesLF: Bool) -> StagedOutput {
        let block = EnvelopeBlock(
            envelope: output.envelope, entry: "\(transaction.entry)", queueID: queueID, outcome: output.word.rawValue,
            workflow: output.workflow, reason: output.reason, direction: output.direction.inBlock)
        return StagedOutput(
            folder: Self.folder(output.folder),
            facts: NameFacts(origin: output.direction.ofResult, order: Self.order(output)),
            block: block.rendered(lineEnd: writesLF ? .lf : .crlf), content: output.content,
            lineEnds: writesLF ? .lf : .asIs)
    }

    private static func order(_ output: Output) -> NameFacts.Order? { output.isKeptBesideNotice ? .told : nil }

    private static func folder(_ folder: Output.Folder) -> Folder {
        switch folder {
        case .delivered: .delivered
        case .admin: .admin
        case .blocked: .blocked
        }
    }

    private func outcome() async throws(Interruption) -> (Outcome, writesLF: Bool) {
        let file: ClaimedFile
        do {
            // A message that an operator releases or holds passes whatever its size: only its header is read.
            let limit = transaction.facts.order != nil ? Int.max : configuration.maximumMessageSize
            file = try transaction.read(maximum: limit)
        } catch {
            guard case .tooLarge(let octets) = error.kind else { throw .spool(error) }
            throw .tooLarge(octets: octets)
        }
        let ending = LineEnding.of(file.message)
        let entry = entry(file.message, file.block, canonical: try canonical(file.message, ending), ending)
        var services = configuration.services
        services.signatures = calls
        let processor = EntryProcessor(policy: configuration.processor.policy, services: services)
        let (outcome, errno) = await ConversionFaults.noting {
            await processor.process(entry, scratch: transaction.scratch)
        }
        if let errno {
            throw .spool(SpoolError(.system, path: spool.path, errno: errno, "a character set cannot be loaded"))
        }
        return (outcome, ending == .lf)
    }

    private func entry(
        _ raw: OctetString, _ block: OctetString?, canonical: OctetString, _ ending: LineEnding
    ) -> Entry {
        queueID = block.flatMap(EnvelopeBlock.queueID)
        size = raw.count
        return Entry(
            id: "\(transaction.entry)", uniqueName: "\(transaction.uniqueName)", direction: direction,
            isBare: transaction.origin.isBare, attempts: transaction.attempts,
            isReleased: transaction.facts.order == .release, isHeld: transaction.facts.order == .hold, block: block,
            raw: raw, canonical: canonical,
            lineEnding: ending)
    }

    /// CRLF line ends for everything that is digested, signed or sent; a large message waits on disk, not in memory.
    private func canonical(_ raw: OctetString, _ ending: LineEnding) throws(Interruption) -> OctetString {
        guard ending != .crlf else { return raw }
        do {
            var collector = try transaction.scratch.makeCollector()
            var converter = CRLFConverter()
            var converted: [UInt8] = []
            try raw.forEachChunk { (chunk) throws(OctetCollectionError) in
                converted.removeAll(keepingCapacity: true)
                converter.convert(chunk, into: &converted)
                try converted.withUnsafeBufferPointer { (octets) throws(OctetCollectionError) in
                    try collector.append(UnsafeRawBufferPointer(octets))
                }
            }
            return try collector.finish()
        } catch {
            let code: Int32 = if case .storage(let errno) = error.kind { errno } else { 0 }
            throw .spool(
                SpoolError(.system, path: error.detail, errno: code, "cannot keep the message with CRLF line ends"))
        }
    }

    private func read() throws(Interruption) -> ClaimedFile {
        try spooled { () throws(SpoolError) in try transaction.read(maximum: .max) }
    }

    private var direction: Direction {
        transaction.origin.direction
    }

    private func spooled<Result>(_ work: () throws(SpoolError) -> Result) throws(Interruption) -> Result {
        do {
            return try work()
        } catch {
            throw .spool(error)
        }
    }

    // MARK: - Journal and log

    private func tell(_ event: JournalEvent.Event, attempts: Int? = nil, to: [PublishedFile] = []) {
        var line = JournalEvent(
            event, entry: transaction.entry, file: transaction.source.map { "\($0)" }, workflow: account.workflow,
            attempts: attempts, to: to, verdict: account.verdict, reason: account.ownReason,
            messageID: account.messageID, server: account.serverAnswer)
        line.line = account.workflowLine
        line.queueID = queueID
        line.octets = size
        line.duration = Self.milliseconds(duration)
        if let received = transaction.source?.received, configuration.services.now() - received >= 2 {
            line.received = received
        }
        if let envelope = account.envelope {
            line.sender = envelope.sender.map(\.shown)
            line.recipients = envelope.recipients.prefix(Self.journalledRecipients).map(\.description)
        }
        line.author = account.author
        line.addressees = account.addressees
        if configuration.journalsSubjects { line.subject = account.subject }
        if let calls = calls.account {
            line.host = calls.host
            line.serverTime = Self.milliseconds(calls.waited)
            line.profile = calls.profile?.split(separator: ":").last.map(String.init)
            line.key = calls.key == line.sender ? nil : calls.key
        }
        append(line)
    }

    private func append(_ line: JournalEvent) {
        if let error = spool.journal.append(line) { gate.note(error, about: IntakeGate.journal) }
    }

    /// The number of recipients that a line of the journal names.
    private static let journalledRecipients = 1_000

    private var identity: Logger.Metadata { ["entry": "\(transaction.entry)"] }

    private func logEnd(_ what: String, _ files: [PublishedFile], extra: Logger.Metadata = [:]) {
        outcome = what
        var metadata = identity.merging(extra) { $1 }
        if let envelope = account.envelope {
            metadata["from"] = "\(envelope.sender.map(\.shown) ?? "-")"
            metadata["to"] = "\(envelope.recipients.count)"
        }
        if let size { metadata["size"] = "\(size)" }
        metadata["duration"] = "\(Self.milliseconds(duration))ms"
        metadata["folders"] = "\(files.map(\.folder.rawValue).joined(separator: ","))"
        if let workflow = account.workflow { metadata["workflow"] = "\(workflow)" }
        if let messageID = account.messageID { metadata["messageID"] = "\(messageID)" }
        if let verdict = account.verdict { metadata["verdict"] = "\(verdict)" }
        if let server = account.serverAnswer { metadata["server"] = "\(server)" }
        if !account.reason.isEmpty { metadata["reason"] = "\(account.reason)" }
        if !account.removed.isEmpty { metadata["removed"] = "\(account.removed.joined(separator: ", "))" }
        metadata["attempt"] = metadata["attempt"] ?? "\(transaction.attempts + 1)"
        // What does not go on to its recipients, now or later, is for a person to know.
        let isKept = !files.contains { $0.folder == .delivered || $0.folder == .retry }
        log.log(level: isKept ? .warning : .info, "\(what)", metadata: metadata)
    }

    private static func milliseconds(_ duration: Duration) -> Int { Int(duration / .milliseconds(1)) }
}

extension Outcome.Account {
    /// The reason without what follows from the workflow, which the journal names; nil if nothing is left.
    fileprivate var ownReason: String? {
        var text = reason[...]
        if let matchReason, text.hasPrefix(matchReason) {
            text = text.dropFirst(matchReason.count)
            if text.hasPrefix("; ") { text = text.dropFirst(2) }
        }
        return text.isEmpty ? nil : String(text)
    }
}

extension FileName {
    /// Unix seconds in a name of the spool's form; nil for any other.
    fileprivate var received: Int? { SpoolName(parsing: description)?.unique.seconds }
}
