import DSSXML
import FoundationEssentials
import Glibc
import HostProcess
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import UnixSignals
import Workers

extension SigningServer {
    /// Serves until the process is asked to stop (SIGTERM, SIGINT). Requests that are being answered then are completed
    /// within some seconds. After these the process ends with status 0 in any case.
    /// - Parameters:
    ///   - rereading: Reads the configuration again, on SIGHUP. It is in force for the next request, its TLS for the
    ///     next connection, and its address as soon as it is taken. If it throws, or an address or TLS is refused, the
    ///     former configuration stays in force.
    ///   - onListening: Gets the address once connections are taken, such as `http://127.0.0.1:8777` or
    ///     `http://unix:/run/ses-dss/socket:`; the path of a service follows it. It is called again for another
    ///     address.
    /// - Throws: ``ListeningError`` if the system refuses the address, or another error if the server cannot start.
    public func run(
        rereading: @escaping @Sendable () throws(DSSConfigurationFaults) -> SigningServerConfiguration,
        onListening: @escaping @Sendable (String) -> Void
    ) async throws {
        for warning in configuration.warnings { logger.warning("\(warning)") }
        let supervision = SupervisionService(
            pools: [("the signing threads", workers), ("the threads for what arrives", arrivals)], logger)
        let listeners = listeners { address in
            supervision.began(listeningOn: address)
            onListening(address)
        }
        defer { listeners.listening.socket?.remove() }
        let hangups = HangupService { await reread(rereading, listeners) }
        let expiry = ExpiryService(inForce: inForce, logger: logger)
        do {
            try await ServiceGroup(
                services: [listeners, hangups, expiry, supervision], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            ).run()
        } catch let error as IOError {
            throw ListeningError(configuration.listening, error)
        }
    }

    /// Serves until the task is cancelled.
    /// - Throws: ``ListeningError`` if the system refuses the address, or another error if the server cannot start.
    public func serve(onListening: @escaping @Sendable (String) -> Void) async throws {
        defer { configuration.listening.socket?.remove() }
        do {
            try await application(configuration.listening, ListenerEnd(), onListening, onOverdue: {}).run()
        } catch let error as IOError {
            throw ListeningError(configuration.listening, error)
        }
    }

    private func listeners(_ onListening: @escaping @Sendable (String) -> Void) -> ListenerService {
        let logger = logger
        return ListenerService(configuration.listening, logger: logger) { listening, end, onRunning in
            try application(
                listening, end,
                {
                    onListening($0)
                    onRunning()
                },
                onOverdue: {
                    logger.warning("stopped with requests that did not end in time")
                    listening.socket?.remove()
                    _exit(0)
                })
        }
    }

    private func application(
        _ listening: SigningServerConfiguration.Listening, _ end: ListenerEnd,
        _ onListening: @escaping @Sendable (String) -> Void, onOverdue: @escaping @Sendable () -> Void
    ) throws -> Application<RouterResponder<BasicRequestContext>> {
        let router = Router()
        router.post("/adss/signing/dss") { request, _ in await respond(to: request, expecting: .sign) }
        router.post("/adss/verification/dss") { request, _ in await respond(to: request, expecting: .verify) }
        router.get(RouterPath(ServerReport.path)) { _, _ in await tellState() }
        try listening.socket?.prepare()
        let address: BindAddress =
            listening.socket.map { .unixDomainSocket(path: $0.path) }
            ?? .hostname(listening.address, port: listening.port)
        let settings = ApplicationConfiguration(
            address: address, serverName: "ses-dss", backlog: 1_024,
            // One that gives way to another still has its descriptor for a moment.
            availableConnectionsDelegate: MaximumAvailableConnections(board.limit + DescriptorPlan.surplus))
        let connections = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(board, deadlines, end)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Self.maximumHead, maxHeaderListSize: Self.maximumHead, maxHeaderFieldCount: 100)
        )
        let builder = HTTPServerBuilder { [tls] responder in
            RenewableTLSChannel(base: HTTP1Channel(responder: responder, configuration: connections), tls: tls)
        }
        return Application(
            router: router, server: builder, configuration: settings,
            onServerRunning: { channel in
                guard await begin(channel, listening, end, onOverdue) else { return }
                onListening(self.address(of: channel, listening))
            },
            logger: logger)
    }

    /// The state of the server, for `ses-dss status`. Whoever may connect may ask: it has names of keys and no secrets.
    private func tellState() async -> Response {
        let (service, counts) = (inForce.service, book.counts)
        let path = service.configuration.path
        let report = ServerReport(
            version: ProgramRelease.version, process: getpid(), since: book.started, configurationRead: inForce.time,
            requests: counts, certificates: service.configuration.certificateEnds(of: path),
            offers: service.configuration.offers,
            reasons: service.configuration.expiryReasons(now: RFC3339Time.now))
        guard let octets = try? JSONEncoder().encode(report) else { return Response(status: .internalServerError) }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: octets)))
    }

    /// Lets clients in and watches over the socket.
    private func begin(
        _ channel: any Channel, _ listening: SigningServerConfiguration.Listening, _ end: ListenerEnd,
        _ onOverdue: @escaping @Sendable () -> Void
    ) async -> Bool {
        let loop = channel.eventLoop
        do {
            try await channel.eventLoop.submit { [board, logger] in
                let acceptance = AcceptGuard(board, logger: logger) {
                    guard !end.isRetired else { return }
                    loop.scheduleTask(in: Self.maximumStopTime) { onOverdue() }
                }
                try channel.pipeline.syncOperations.addHandler(acceptance, position: .first)
            }.get()
            try listening.socket?.open()
            return true
        } catch {
            logger.error("the server cannot open its address: \(error)")
            channel.close(promise: nil)
            return false
        }
    }

    private func address(of channel: any Channel, _ listening: SigningServerConfiguration.Listening) -> String {
        if let socket = listening.socket { return "http://unix:\(socket.path):" }
        let host = listening.address.contains(":") ? "[\(listening.address)]" : listening.address
        return (tls.context == nil ? "http://" : "https://") + "\(host):\(channel.localAddress?.port ?? 0)"
    }

    /// Puts the configuration that `rereading` gives in force: address, TLS, and all else. One with faults is told of,
    /// and changes nothing.
    private func reread(
        _ rereading: @escaping @Sendable () throws(DSSConfigurationFaults) -> SigningServerConfiguration,
        _ listeners: ListenerService
    ) async {
        Supervisor.current.reloading()
        defer { Supervisor.current.ready("serving") }
        do {
            let configuration = try await rereader.run { try rereading() }
            let context = try TLSInForce.context(configuration.tls)
            for warning in configuration.warnings { logger.warning("\(warning)") }
            // With the TLS of before a new address would be open to people whom the new one keeps out.
            let (formerTLS, former) = (tls.context, listeners.listening)
            tls.adopt(context)
            do { try await listeners.move(to: configuration.listening) } catch {
                tls.adopt(formerTLS)
                throw (error as? IOError).map { ListeningError(configuration.listening, $0) } ?? error
            }
            await rereader.run { inForce.adopt(configuration) }
            if former != configuration.listening { logger.notice("listening on another address") }
            logger.notice("configuration re-read")
        } catch {
            for fault in "\(error)".split(separator: "\n") { logger.error("\(fault)") }
            logger.error("the configuration was not re-read, because it has faults; the former one stays in force")
        }
    }
}
