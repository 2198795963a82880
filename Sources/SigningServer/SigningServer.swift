import CMSSignatures
import DSSXML
import Glibc
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
public import Logging
import NIOCore
import Octets

/// The embedded signing server: OASIS DSS 1.0 over HTTP, on the addresses of ADSS.
public struct SigningServer: Sendable {
    /// The most octets of a request.
    static let bodyLimit = 400 << 20
    /// Octets of a request that wait in memory before the first are looked at.
    static let headLimit = 1 << 20
    /// How long a connection may be silent while a request is awaited or arrives; it also bounds an orderly stop.
    static let silenceLimit = TimeAmount.seconds(30)

    private let configuration: SigningServerConfiguration
    private let service: SigningService
    private let faults: [InjectedFault]
    private let workers: WorkerThreads
    private let logger: Logger

    /// - Parameters:
    ///   - faults: Wrong answers to give on purpose.
    ///   - scratchDirectory: Where large documents wait, in files without a name.
    /// - Throws: When the way to timestamp authorities and responders cannot be set up.
    public init(
        _ configuration: SigningServerConfiguration, faults: [InjectedFault] = [], scratchDirectory: String,
        logger: Logger
    ) throws {
        self.configuration = configuration
        self.faults = faults
        self.logger = logger
        let scratch = ScratchCollecting(limit: Self.bodyLimit, directory: scratchDirectory)
        service = SigningService(configuration: configuration, scratch: scratch, sources: try OnlineSources())
        workers = WorkerThreads(count: max(2, min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 16)))
    }

    /// Serves until the process is asked to stop (SIGTERM, SIGINT); what is being answered then is finished.
    /// - Parameter onListening: Gets the address once connections are taken, such as `http://127.0.0.1:8777`.
    public func run(onListening: @escaping @Sendable (String) -> Void) async throws {
        try await application(onListening).runService()
    }

    /// Serves until the task is cancelled.
    public func serve(onListening: @escaping @Sendable (String) -> Void) async throws {
        try await application(onListening).run()
    }

    private func application(_ onListening: @escaping @Sendable (String) -> Void) throws -> some ApplicationProtocol {
        let router = Router()
        router.post("/adss/signing/dss") { request, _ in await self.respond(to: request, expecting: .sign) }
        router.post("/adss/verification/dss") { request, _ in await self.respond(to: request, expecting: .verify) }
        let address = configuration.address
        let prefix =
            (configuration.tls == nil ? "http://" : "https://") + (address.contains(":") ? "[\(address)]" : address)
        let settings = ApplicationConfiguration(
            address: .hostname(address, port: configuration.port), serverName: "ses-dss")
        let isListening: @Sendable (Int) -> Void = { onListening("\(prefix):\($0)") }
        let plain = HTTPServerBuilder.http1(configuration: .init(idleTimeout: Self.silenceLimit))
        let builder = try configuration.tls.map { settings in
            try HTTPServerBuilder.tls(plain, tlsConfiguration: Self.tlsConfiguration(settings))
        }
        return Application(
            router: router, server: builder ?? plain, configuration: settings,
            onServerRunning: { isListening($0.localAddress?.port ?? 0) }, logger: logger)
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
            let arrived = try await receive(request)
            // Reading a small request, signing and writing the answer are one job: each hop to a worker costs time.
            let answered = try await workers.run { () throws(RequestRefusal) in
                try answer(arrived, expecting: operation, fault)
            }
            log(answered.record, operation, octets: arrived.count, elapsed: begun.duration(to: .now))
            return answered.response
        } catch {
            logger.info(
                "request refused", metadata: ["reason": Self.plain(error.reason), "status": "\(error.status.code)"])
            return Self.response(error.fault, status: error.status)
        }
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
        _ arrived: Arrived, expecting operation: DSSServerRequest.Operation, _ fault: InjectedFault.Kind?
    ) throws(RequestRefusal) -> (response: Response, record: SigningService.Record) {
        let request: DSSServerRequest
        do throws(DSSServerRequestError) {
            request = try feed(arrived.rest, to: arrived.reader).finish()
        } catch {
            throw RequestRefusal(error)
        }
        guard request.operation == operation else {
            let expected = operation == .sign ? "SignRequest" : "VerifyRequest"
            throw RequestRefusal(status: .badRequest, reason: "this address takes \(expected)", request.envelope)
        }
        var (answer, record) = service.answer(request, now: Timestamp.now)
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

    /// A request that is here as a whole.
    private struct Arrived: Sendable {
        /// Has read what is not in `rest`; nil when nothing was read yet.
        let reader: DSSServerRequestReader?
        let rest: [ByteBuffer]
        let count: Int
    }

    /// Takes the request while it arrives; a large one is read piece by piece.
    private func receive(_ request: Request) async throws(RequestRefusal) -> Arrived {
        if let length = request.head.headerFields[.contentLength].flatMap({ Int($0) }), length > Self.bodyLimit {
            throw Self.tooLarge
        }
        var total = 0
        var waiting: [ByteBuffer] = []
        var waitingCount = 0
        var reader: DSSServerRequestReader?
        do {
            for try await buffer in request.body {
                total += buffer.readableBytes
                guard total <= Self.bodyLimit else { throw Self.tooLarge }
                waiting.append(buffer)
                waitingCount += buffer.readableBytes
                if waitingCount > Self.headLimit {
                    let pieces = waiting
                    let present = reader
                    reader = try await workers.run { try feed(pieces, to: present) }
                    waiting = []
                    waitingCount = 0
                }
            }
            return Arrived(reader: reader, rest: waiting, count: total)
        } catch let refusal as RequestRefusal {
            throw refusal
        } catch let error as DSSServerRequestError {
            throw RequestRefusal(error)
        } catch {
            throw RequestRefusal(status: .badRequest, reason: "the request ended early: \(error)")
        }
    }

    private func feed(
        _ pieces: [ByteBuffer], to present: DSSServerRequestReader?
    ) throws(DSSServerRequestError) -> DSSServerRequestReader {
        let reader: DSSServerRequestReader
        if let present { reader = present } else { reader = try DSSServerRequestReader(documents: service.scratch) }
        for piece in pieces {
            let fed = piece.withUnsafeReadableBytes { octets -> Result<Void, DSSServerRequestError> in
                do throws(DSSServerRequestError) { return .success(try reader.feed(octets)) } catch {
                    return .failure(error)
                }
            }
            try fed.get()
        }
        return reader
    }

    private static let tooLarge = RequestRefusal(
        status: .contentTooLarge, reason: "the request is larger than \(bodyLimit) octets")

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
        if manner == .plain && octets.count <= headLimit {
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
