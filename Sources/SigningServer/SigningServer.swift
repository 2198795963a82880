import CMSSignatures
import DSSXML
import Glibc
import HostProcess
import Hummingbird
public import Logging
public import Monitoring
import NIOCore
import Octets
import Workers

/// The embedded signing server: OASIS DSS 1.0 over HTTP, on the addresses of ADSS.
public struct SigningServer: Sendable {
    /// The most octets of a request.
    static let maximumBody = 400 << 20
    /// Octets of a request that are taken together, and of an answer that is written in one piece.
    static let leastPiece = 64 << 10
    static let answerInOnePiece = 1 << 20
    /// Octets in memory that all requests and documents which wait may have together.
    static let memoryBudget = 64 << 20
    /// Octets of the head of a request.
    static let maximumHead = 16 << 10
    /// From the request to stop to the end, whatever clients and other servers do.
    static let maximumStopTime = TimeAmount.seconds(9)

    /// As it was at the start.
    let configuration: SigningServerConfiguration
    /// The TLS of new connections.
    let tls: TLSInForce
    /// The present service. A request that is being answered keeps the one with which it began.
    let inForce: ServiceInForce
    private let faults: [InjectedFault]
    let workers: WorkerThreads
    /// Reads the configuration again, and is never waited for by an answer: a token may not answer.
    let rereader = WorkerThreads(count: 1, name: "rereading", stackSize: nil)
    private let lanes = TokenLanes()
    /// They write what arrives to files, and are never waited for by an answer.
    let arrivals: WorkerThreads
    let logger: Logger
    let board: ConnectionBoard
    private let budget: MemoryBudget
    let deadlines: ConnectionDeadlines
    let book = RequestBook()

    /// - Parameters:
    ///   - faults: Wrong answers to give on purpose.
    ///   - scratchDirectory: The directory for large documents, in files without a name.
    /// - Throws: An error if there are too few file descriptors, or if the TLS key cannot be used.
    public init(
        _ configuration: SigningServerConfiguration, faults: [InjectedFault] = [], scratchDirectory: String,
        logger: Logger
    ) throws {
        try self.init(
            configuration, faults: faults, scratchDirectory: scratchDirectory, logger: logger,
            deadlines: ConnectionDeadlines())
    }

    package init(
        _ configuration: SigningServerConfiguration, faults: [InjectedFault] = [], scratchDirectory: String,
        logger: Logger, deadlines: ConnectionDeadlines
    ) throws {
        self.configuration = configuration
        tls = TLSInForce(try TLSInForce.context(configuration.tls))
        self.faults = faults
        self.logger = logger
        self.deadlines = deadlines
        budget = MemoryBudget(limit: Self.memoryBudget)
        let plan = try DescriptorPlan.make(processors: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        board = ConnectionBoard(limit: plan.connections)
        let files = ScratchFiles(in: scratchDirectory, limit: plan.files)
        let scratch = ScratchCollecting(limit: Self.maximumBody, files: files, budget: budget)
        inForce = ServiceInForce(
            SigningService(
                configuration: configuration, scratch: scratch, sources: OnlineSources(atOnce: plan.workers)))
        // Some wait for other servers, such as an OCSP responder, and must not hold up the rest.
        arrivals = WorkerThreads(count: 2, name: "arriving", stackSize: nil)
        workers = WorkerThreads(count: plan.workers, name: "signing", stackSize: nil)
    }

    // MARK: One request

    func respond(to request: Request, expecting operation: DSSServerRequest.Operation) async -> Response {
        let begun = ContinuousClock.now
        let fault = InjectedFault.next(of: faults) { Int.random(in: 0..<100) }
        do throws(RequestRefusal) {
            let (body, count) = try await receive(request)
            // Reading a small request, signing and writing the answer are one job: each hop to a worker costs time.
            let service = inForce.service
            let step = try await workers.run { () throws(RequestRefusal) in
                try answer(body, expecting: operation, fault, service)
            }
            let answered: Answered
            switch step {
            case .done(let done): answered = done
            case .token(let token, let asked):
                // A token may not answer: its own threads wait for it.
                answered =
                    await lanes.run(token) { answer(asked, fault, service) }
                    ?? Self.spoiled(service.postponed(asked), fault)
            }
            let elapsed = begun.duration(to: .now)
            log(answered.record, operation, octets: count, elapsed: elapsed)
            book.answered(operation, answered.record, service.configuration, in: elapsed)
            return answered.response
        } catch {
            book.refused()
            logger.info(
                "request refused", metadata: ["reason": Self.plain(error.reason), "status": "\(error.status.code)"])
            return Self.response(error.fault, status: error.status)
        }
    }

    /// The metrics of this server.
    /// - Parameter path: Of its configuration.
    public func metrics(configuredBy path: String) -> [MetricFamily] {
        book.families(inForce.service.configuration.certificateEnds(of: path))
    }

    private func log(
        _ record: SigningService.Record, _ operation: DSSServerRequest.Operation, octets: Int, elapsed: Duration
    ) {
        let milliseconds = elapsed.components.seconds * 1_000 + elapsed.components.attoseconds / 1_000_000_000_000_000
        logger.info(
            "answered",
            metadata: [
                "operation": operation == .sign ? "sign" : "verify", "client": Self.plain(record.client),
                "profile": Self.plain(record.profile), "key": Self.plain(record.key),
                "outcome": Self.plain(record.outcome), "octets": "\(octets)", "milliseconds": "\(milliseconds)",
            ])
    }

    private typealias Answered = (response: Response, record: SigningService.Record)

    /// The state of a request that was read.
    private enum Step {
        case done(Answered)
        /// Its key is in this token.
        case token(String, DSSServerRequest)
    }

    private func answer(
        _ body: IncomingBody, expecting operation: DSSServerRequest.Operation, _ fault: InjectedFault.Kind?,
        _ service: SigningService
    ) throws(RequestRefusal) -> Step {
        let request: DSSServerRequest
        do throws(DSSServerRequestError) {
            request = try read(body, service)
        } catch {
            throw RequestRefusal(error)
        }
        guard request.operation == operation else {
            let expected = operation == .sign ? "SignRequest" : "VerifyRequest"
            throw RequestRefusal(status: .badRequest, reason: "this address takes \(expected)", request.envelope)
        }
        if let token = service.token(of: request) { return .token(token, request) }
        return .done(answer(request, fault, service))
    }

    private func answer(
        _ request: DSSServerRequest, _ fault: InjectedFault.Kind?, _ service: SigningService
    ) -> Answered { Self.spoiled(service.answer(request, now: RFC3339Time.now), fault) }

    private static func spoiled(
        _ given: (answer: DSSServerAnswer, record: SigningService.Record), _ fault: InjectedFault.Kind?
    ) -> Answered {
        var (answer, record) = given
        if let fault {
            answer.spoil(fault)
            record.outcome += " (spoiled: \(fault.rawValue))"
        }
        return (response(answer, fault), record)
    }

    private struct RequestRefusal: Error {
        let status: HTTPResponse.Status
        let reason: String
        let envelope: DSSServerRequest.Envelope

        init(status: HTTPResponse.Status, reason: String, _ envelope: DSSServerRequest.Envelope = .soap11) {
            self.status = status
            self.reason = reason
            self.envelope = envelope
        }

        init(_ error: DSSServerRequestError) {
            self.init(status: error.kind == .storage ? .internalServerError : .badRequest, reason: error.reason)
        }

        var fault: DSSServerFault {
            DSSServerFault(status.code >= 500 ? .server : .client, reason, envelope: envelope)
        }
    }

    /// Takes a request until all of it is here.
    private func receive(_ request: Request) async throws(RequestRefusal) -> (body: IncomingBody, count: Int) {
        if let length = request.head.headerFields[.contentLength].flatMap({ Int($0) }), length > Self.maximumBody {
            throw Self.tooLarge
        }
        var total = 0
        let body = IncomingBody(budget, files: inForce.service.scratch.files)
        // Copied together: a piece of one octet would keep a whole buffer.
        var waiting = ByteBuffer()
        do {
            for try await piece in request.body {
                total += piece.readableBytes
                guard total <= Self.maximumBody else { throw Self.tooLarge }
                waiting.writeImmutableBuffer(piece)
                if waiting.readableBytes > Self.leastPiece {
                    let octets = waiting
                    waiting = ByteBuffer()
                    try await arrivals.run { () throws(OctetCollectionError) in try body.append(octets) }
                }
            }
            body.appendEnd(waiting)
            return (body, total)
        } catch let refusal as RequestRefusal {
            throw refusal
        } catch let error as OctetCollectionError {
            throw RequestRefusal(status: .internalServerError, reason: "the request cannot be kept: \(error.detail)")
        } catch {
            throw RequestRefusal(status: .badRequest, reason: "the request ended early: \(error)")
        }
    }

    private func read(_ body: IncomingBody, _ service: SigningService) throws(DSSServerRequestError) -> DSSServerRequest
    {
        let reader = try DSSServerRequestReader(documents: service.scratch)
        try body.forEachPiece { octets throws(DSSServerRequestError) in try reader.feed(octets) }
        return try reader.finish()
    }

    private static let tooLarge = RequestRefusal(
        status: .contentTooLarge, reason: "the request is larger than \(maximumBody) octets")

    // MARK: One answer

    private static func response(_ answer: DSSServerAnswer, _ fault: InjectedFault.Kind?) -> Response {
        switch fault {
        case .empty:
            var headers = HTTPFields()
            let message = "[Error-41003] Failed to process request - Signing service is stopped"
            for (name, value) in [("RESPONSE_STATUS", "FAILED"), ("ERROR_CODE", "41003"), ("MESSAGE", message)] {
                if let name = HTTPFields.Element.Name(name) { headers[name] = value }
            }
            return Response(status: .ok, headers: headers)
        case .html500:
            let page =
                "<html><head><title>HTTP Status 500</title></head><body><h1>Internal Server Error</h1></body></html>"
            return Response(
                status: .internalServerError, headers: [.contentType: "text/html"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: page)))
        case .soapfault:
            let fault = DSSServerFault(.server, "the service is not available", envelope: answer.envelope)
            return response(fault, status: .internalServerError)
        case .cut: return response(answer, manner: .cut)
        case .drip: return response(answer, manner: .drip)
        case .wrongid, .nosignal, .pending, .straysig, .prefixes, nil: return response(answer, manner: .plain)
        }
    }

    private enum Manner { case plain, cut, drip }
    private struct CutOff: Error {}

    private static func response(_ answer: DSSServerAnswer, manner: Manner) -> Response {
        let octets = answer.octets
        let headers: HTTPFields = [.contentType: answer.contentType]
        if manner == .plain && octets.count <= answerInOnePiece {
            let buffer = octets.collected().withUnsafeBytes { ByteBuffer(bytes: $0) }
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: buffer))
        }
        let body = ResponseBody(contentLength: octets.count) { writer in
            var reader = octets.makeReader()
            var chunk = [UInt8](repeating: 0, count: manner == .drip ? 1 : 65_536)
            var left = manner == .cut ? octets.count / 2 : octets.count
            while left > 0 {
                let count = chunk.withUnsafeMutableBytes { target in
                    reader.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<min(target.count, left)]))
                }
                guard count > 0 else { break }
                left -= count
                try await writer.write(ByteBuffer(bytes: chunk.prefix(count)))
                if manner == .drip { try await Task.sleep(for: .milliseconds(200)) }
            }
            guard manner != .cut else { throw CutOff() }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private static func response(_ fault: DSSServerFault, status: HTTPResponse.Status) -> Response {
        let buffer = fault.octets.withUnsafeBytes { ByteBuffer(bytes: $0) }
        return Response(
            status: status, headers: [.contentType: fault.contentType], body: ResponseBody(byteBuffer: buffer))
    }

    /// A stranger's words, fit for the log.
    private static func plain(_ text: String) -> Logger.MetadataValue {
        .string(
            String(text.unicodeScalars.prefix(200).map { $0.value < 0x20 || $0.value == 0x7F ? " " : Character($0) }))
    }
}
