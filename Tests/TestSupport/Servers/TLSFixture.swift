import Foundation

/// Keys and certificates for TLS, made by OpenSSL's command line once in a test run.
public struct TLSFixture: Sendable {
    public let scratch: ScratchDirectory
    /// The only authority that these certificates lead to.
    public var authority: String { scratch.file("ca.pem") }

    private static let making = Task { try await make() }
    public static var shared: TLSFixture { get async throws { try await making.value } }

    /// A server certificate with its key.
    public enum Server: String, Sendable, CaseIterable {
        case good, otherHost, expired, selfSigned
    }

    public func certificate(_ server: Server) -> String { scratch.file("\(server.rawValue).pem") }
    public func key(_ server: Server) -> String { scratch.file("\(server.rawValue).key") }
    /// A client's certificate and key as PKCS#12; its password is `right password`.
    public var clientPFX: String { scratch.file("client.p12") }
    public static let password = "right password"

    private static func make() async throws -> TLSFixture {
        let fixture = TLSFixture(scratch: try ScratchDirectory())
        let path = fixture.scratch.file
        let key = ["-newkey", "rsa:2048", "-nodes"]
        try await openssl(
            ["req", "-x509"] + key + [
                "-keyout", path("ca.key"), "-out", path("ca.pem"), "-subj", "/CN=Test authority", "-days", "30",
            ])
        try await openssl(
            ["req", "-x509"] + key
                + [
                    "-keyout", path("selfSigned.key"), "-out", path("selfSigned.pem"), "-subj", "/CN=localhost",
                    "-days", "30",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                ])
        for (name, host, days) in [
            ("good", "DNS:localhost,IP:127.0.0.1", "30"), ("otherHost", "DNS:other.example.test", "30"),
            ("expired", "DNS:localhost,IP:127.0.0.1", "-1"), ("client", "email:client@example.test", "30"),
        ] {
            try await openssl(
                ["req", "-new"] + key + [
                    "-keyout", path("\(name).key"), "-out", path("\(name).csr"), "-subj", "/CN=\(name)",
                ])
            try fixture.scratch.write("subjectAltName=\(host)\n".utf8, to: "\(name).ext")
            try await openssl([
                "x509", "-req", "-in", path("\(name).csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
                "-CAcreateserial", "-days", days, "-extfile", path("\(name).ext"), "-out", path("\(name).pem"),
            ])
        }
        try await openssl([
            "pkcs12", "-export", "-inkey", path("client.key"), "-in", path("client.pem"), "-out", path("client.p12"),
            "-passout", "pass:\(password)",
        ])
        return fixture
    }

    private static func openssl(_ arguments: [String]) async throws {
        let run = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
        guard run.status == 0 else { throw HarnessError("openssl \(arguments): \(run)") }
    }
}

/// An https server that answers each POST with the body `<tls/>`, and the client certificate's subject in `X-Client`.
public final class TLSPeer: Sendable {
    private let running: RunningProgram
    public let port: Int
    public var address: String { "https://127.0.0.1:\(port)/" }

    /// - Parameter demandsClient: True if only clients with a certificate of the fixture's authority are served.
    public init(_ server: TLSFixture.Server, demandsClient: Bool = false, oldProtocol: Bool = false) async throws {
        let fixture = try await TLSFixture.shared
        running = try RunningProgram(
            "/usr/bin/python3",
            [
                "-c", Self.script, fixture.certificate(server), fixture.key(server),
                demandsClient ? fixture.authority : "", oldProtocol ? "old" : "",
            ], asRoot: true)
        let line = try await running.line(containing: "port ")
        port = Int(line.split(separator: " ").last ?? "") ?? 0
    }

    private static let script = """
        import http.server, ssl, sys, warnings
        warnings.simplefilter("ignore")
        certificate, key, authority, old = sys.argv[1:5]
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                peer = self.connection.getpeercert()
                self.send_response(200)
                self.send_header("Content-Length", "6")
                self.send_header("X-Client", peer["subject"][0][0][1] if peer else "none")
                self.end_headers()
                self.wfile.write(b"<tls/>")
            def log_message(self, *words): pass
        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, address): pass
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if authority:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(authority)
        if old:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        server = Server(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        print("port", server.server_address[1], flush=True)
        server.serve_forever()
        """
}
