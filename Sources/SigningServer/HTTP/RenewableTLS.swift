import CMSSignatures
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Octets
import Synchronization

/// The TLS of new connections; none for plain HTTP. Connections that are open keep what they began with.
final class TLSInForce: Sendable {
    private let present: Mutex<NIOSSLContext?>

    var context: NIOSSLContext? { present.withLock { $0 } }

    init(_ context: NIOSSLContext?) { present = Mutex(context) }

    func adopt(_ context: NIOSSLContext?) { present.withLock { $0 = context } }

    /// Makes the context of a configuration.
    /// - Throws: An error if the key or a certificate cannot be used for TLS.
    static func context(_ settings: SigningServerConfiguration.TLSSettings?) throws -> NIOSSLContext? {
        guard let settings else { return nil }
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
        return try NIOSSLContext(configuration: tls)
    }
}

/// HTTP over the TLS that is in force when a connection begins.
struct RenewableTLSChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let base: HTTP1Channel
    let tls: TLSInForce

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            guard let context = tls.context else { return }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
