import CMSSignatures
import DSSXML
import Glibc
import HostProcess
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
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
    private static let maximumHead = 16 << 10
    /// From the request to stop to the end, whatever clients and other servers do.
    private static let maximumStopTime = TimeAmount.seconds(9)

    /// As it was at the start: addresses and TLS stay so.
    private let configuration: SigningServerConfiguration
    /// The present service. A request that is being answered keeps the one with which it began.
    private let inForce: ServiceInForce
    private let faults: [InjectedFault]
    private let workers: WorkerThreads
    /// They write what arrives to files, and are never waited for by an answer.
    private let arrivals: WorkerThreads
    private let logger: Logger
    private let board: ConnectionBoard
    private let budget: MemoryBudget
    private let deadlines: ConnectionDeadlines
    private let book = RequestBook()

    /// - Parameters:
    ///   - faults: Wrong answers to give on purpose.
    ///   - scratchDirectory: The directory for large documents, in files without a name.
    /// - Throws: An error if there are too few file descriptors, or if the transfers to timestamp authorities and
    ///   responders cannot be set up.
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

    /// Serves until the process is asked to stop (SIGTERM, SIGINT). Requests that are being answered then are completed
    /// within some seconds. After these the process ends with status 0 in any case.
    /// - Parameters:
    ///   - rereading: Reads the configuration again, on SIGHUP. Its keys, profiles, anchors and clients are in force
    ///     from the next request on. If it throws, the former configuration stays in force.
    ///   - onListening: Gets the address once connections are taken, such as `http://127.0.0.1:8777` or
    ///     `http://unix:/run/ses-dss/socket:`; the path of a service follows it.
    /// - Throws: ``ListeningError`` if the system refuses the address, or another error if the server cannot start.
    public func run(
        rereading: @escaping @Sendable () throws(DSSConfigurationFaults) -> SigningServerConfiguration,
        onListening: @escaping @Sendable (String) -> Void
    ) async throws {
        let socket = configuration.listening.socket
        defer { socket?.remove() }
        for warning in configuration.warnings { logger.warning("\(warning)") }
        let reread = HangupService { [inForce, configuration, logger, workers] in
            // Keys and fonts are read on a thread of the signing work: connections are served meanwhile.
            await workers.run {
                Self.reread(rereading, into: inForce, startedWith: configuration, logger)
            }
        }
        let supervision = SupervisionService(
            pools: [("the signing threads", workers), ("the threads for what arrives", arrivals)], logger)
        do {
            var application = try application(
                { address in
                    supervision.began(listeningOn: address)
                    onListening(address)
                },
                onOverdue: { [logger] in
                    logger.warning("stopped with requests that did not end in time")
                    socket?.remove()
                    _exit(0)
                })
            application.addServices(reread, supervision)
            try await application.runService()
        } catch let error as IOError {
            throw ListeningError(configuration.listening, error)
        }
    }

    /// Serves until the task is cancelled.
    /// - Throws: ``ListeningError`` if the system refuses the address, or another error if the server cannot start.
    public func serve(onListening: @escaping @Sendable (String) -> Void) async throws {
        defer { configuration.listening.socket?.remove() }
        do {
            try await application(onListening, onOverdue: {}).run()
        } catch let error as IOError {
            throw ListeningError(configuration.listening, error)
        }
    }

    private func application(
        _ onListening: @escaping @Sendable (String) -> Void, onOverdue: @escaping @Sendable () -> Void
    ) throws -> Application<RouterResponder<BasicRequestContext>> {
        let router = Router()
        router.post("/adss/signing/dss") { request, _ in await self.respond(to: request, expecting: .sign) }
        router.post("/adss/verification/dss") { request, _ in await self.respond(to: request, expecting: .verify) }
        let listening = configuration.listening
        try listening.socket?.prepare()
        let address: BindAddress =
            listening.socket.map { .unixDomainSocket(path: $0.path) }
            ?? .hostname(listening.address, port: listening.port)
        let settings = ApplicationConfiguration(
            address: address, serverName: "ses-dss", backlog: 1_024,
            // One that gives way to another still has its descriptor for a moment.
            availableConnectionsDelegate: MaximumAvailableConnections(board.limit + DescriptorPlan.surplus))
        let connections = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(board, deadlines)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Self.maximumHead, maxHeaderListSize: Self.maximumHead, maxHeaderFieldCount: 100)
        )
        let plain = HTTPServerBuilder.http1(configuration: connections)
        let builder = try configuration.tls.map { settings in
            try HTTPServerBuilder.tls(plain, tlsConfiguration: Self.tlsConfiguration(settings))
        }
        return Application(
            router: router, server: builder ?? plain, configuration: settings,
            onServerRunning: { channel in
                await begin(channel, onOverdue)
                onListening(self.address(of: channel))
            },
            logger: logger)
    }

    /// Lets clients in and watches over the socket.
    private func begin(_ channel: any Channel, _ onOverdue: @escaping @Sendable () -> Void) async {
        let loop = channel.eventLoop
        do {
            try await channel.eventLoop.submit { [board, logger] in
                let acceptance = AcceptGuard(board, logger: logger) {
                    loop.scheduleTask(in: Self.maximumStopTime) { onOverdue() }
                }
                try channel.pipeline.syncOperations.addHandler(acceptance, position: .first)
            }.get()
            try configuration.listening.socket?.open()
        } catch {
            logger.error("the server cannot open its address: \(error)")
            channel.close(promise: nil)
        }
    }

    private func address(of channel: any Channel) -> String {
        if let socket = configuration.listening.socket { return "http://unix:\(socket.path):" }
        let address = configuration.listening.address
        let host = address.contains(":") ? "[\(address)]" : address
        return (configuration.tls == nil ? "http://" : "https://") + "\(host):\(channel.localAddress?.port ?? 0)"
    }

    private static func tlsConfiguration(_ settings: SigningServerConfiguration.TLSSettings) throws -> TLSConfiguration
    {
        let chain = [settings.key.certificate] + settings.key.chain
        let key = try settings.key.privateKeyPEM()
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain.map { .certificate(try NIOSSLCertificate(bytes: $0.der.array, format: .der)) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: key.array, format: .pem)))
        tls.minimumTLSVersion = .tlsv12
        if let authorities = settings.clientAuthorities {
            tls.certificateVerification = .noHostnameVerification
            tls.trustRoots = .certificates(
                try authorities.map { try NIOSSLCertificate(bytes: $0.der.array, format: .der) })
        }
        return tls
    }

    // MARK: One request

    private func respond(to request: Request, expecting operation: DSSServerRequest.Operation) async -> Response {
        let begun = ContinuousClock.now
        let fault = InjectedFault.next(of: faults) { Int.random(in: 0..<100) }
        do throws(RequestRefusal) {
            let (body, count) = try await receive(request)
            // Reading a small request, signing and writing the answer are one job: each hop to a worker costs time.
            let service = inForce.service
            let answered = try await workers.run { () throws(RequestRefusal) in
                try answer(body, expecting: operation, fault, service)
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

    private func answer(
        _ body: IncomingBody, expecting operation: DSSServerRequest.Operation, _ fault: InjectedFault.Kind?,
        _ service: SigningService
    ) throws(RequestRefusal) -> (response: Response, record: SigningService.Record) {
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
        var (answer, record) = service.answer(request, now: RFC3339Time.now)
        if let fault {
            answer.spoil(fault)
            record.outcome += " (spoiled: \(fault.rawValue))"
        }
        return (Self.response(answer, fault), record)
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
