/// A mail server on a free loopback port with TLS and AUTH, in Python; it takes every message.
public final class TLSMailServer: Sendable {
    /// Its behaviour with regard to encryption.
    public enum Manner: String, Sendable, CaseIterable {
        /// STARTTLS is offered and works.
        case startTLS
        /// TLS from the first octet.
        case implicit
        /// STARTTLS is not offered, as when somebody on the way has taken it out.
        case stripped
        /// STARTTLS is offered and answered 454.
        case refused
        /// 220, and then what is no TLS.
        case garbage
        /// 220, and a reply in clear behind it.
        case injecting
        /// 220, and the connection is closed.
        case closing
        /// TLS 1.1 at most.
        case old
        /// TLS works, and the connection is cut within the message.
        case cutting
    }

    public static let user = "relay@example.test"
    public static let password = "s3cret päss"

    private let running: RunningProgram
    public let port: Int

    /// The lines of the clients, with `tls ` or `clear ` before each, and before a message's octets `taken `.
    public var log: [String] { running.text(.output).split(separator: "\n").dropFirst().map(String.init) }

    /// - Parameters:
    ///   - mechanisms: Offered for AUTH, wherever the connection is; `PLAIN`, `LOGIN`, `CRAM-MD5`.
    ///   - refusal: Said to AUTH whatever the password; nil: 235 to the right one, 535 to others.
    public init(
        _ certificate: TLSFixture.Server, _ manner: Manner, mechanisms: [String] = [], refusal: String? = nil
    ) async throws {
        let fixture = try await TLSFixture.shared
        running = try RunningProgram(
            "/usr/bin/python3",
            [
                "-c", Self.script, fixture.certificate(certificate), fixture.key(certificate), manner.rawValue,
                mechanisms.joined(separator: " "), refusal ?? "", Self.user, Self.password,
            ], asRoot: true)
        let line = try await running.line(containing: "port ")
        port = Int(line.split(separator: " ").last ?? "") ?? 0
    }

    private static let script = """
        import base64, hmac, socketserver, ssl, sys, warnings
        warnings.simplefilter("ignore")
        certificate, key, manner, mechanisms, refusal, user, password = sys.argv[1:8]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        if manner == "old":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1

        class Handler(socketserver.BaseRequestHandler):
            def encrypt(self):
                self.sock = context.wrap_socket(self.sock, server_side=True)
                self.lines = self.sock.makefile("rb")
                self.encrypted = True

            def say(self, text):
                self.sock.sendall(text.encode() + b"\\r\\n")

            def hear(self):
                line = self.lines.readline()
                if not line:
                    raise EOFError
                print("tls" if self.encrypted else "clear", line.rstrip(b"\\r\\n").decode("latin-1"), flush=True)
                return line.strip().decode("latin-1")

            def handle(self):
                self.sock = self.request
                self.lines = self.sock.makefile("rb")
                self.encrypted = False
                try:
                    if manner == "implicit":
                        self.encrypt()
                    self.serve()
                except (OSError, EOFError):
                    pass
                # The wrapped socket is not the one that the server closes.
                self.sock.close()

            def check(self, name, word):
                if refusal:
                    self.say(refusal)
                elif (name, word) == (user, password):
                    self.say("235 2.7.0 welcome")
                else:
                    self.say("535 5.7.8 who are you?")

            def ask(self, text=b""):
                self.say("334 " + base64.b64encode(text).decode())
                return base64.b64decode(self.hear())

            def authenticate(self, words):
                mechanism = words[1].upper()
                if mechanism == "PLAIN":
                    answer = base64.b64decode(words[2]) if len(words) > 2 else self.ask()
                    _, name, word = answer.decode().split("\\0")
                    self.check(name, word)
                elif mechanism == "LOGIN":
                    name = base64.b64decode(words[2]) if len(words) > 2 else self.ask(b"Username:")
                    self.check(name.decode(), self.ask(b"Password:").decode())
                else:
                    challenge = b"<1.2@example.test>"
                    name, digest = self.ask(challenge).decode().rsplit(" ", 1)
                    right = hmac.new(password.encode(), challenge, "md5").hexdigest()
                    self.check(name, password if digest == right else "")

            def serve(self):
                self.say("220 mail.example.test ESMTP")
                while True:
                    words = self.hear().split(" ")
                    verb = words[0].upper()
                    if verb == "EHLO":
                        offers = ["mail.example.test", "8BITMIME", "PIPELINING"]
                        if not self.encrypted and manner != "stripped":
                            offers.append("STARTTLS")
                        if mechanisms:
                            offers.append("AUTH " + mechanisms)
                        self.sock.sendall("".join(
                            f"250{' ' if offer == offers[-1] else '-'}{offer}\\r\\n" for offer in offers).encode())
                    elif verb == "STARTTLS":
                        if manner == "refused":
                            self.say("454 4.7.0 not now")
                            continue
                        self.say("220 go on" + ("\\r\\n250 injected" if manner == "injecting" else ""))
                        if manner == "garbage":
                            self.say("this is no TLS")
                            self.hear()
                            return
                        if manner == "closing":
                            return
                        self.encrypt()
                    elif verb == "AUTH":
                        self.authenticate(words)
                    elif verb == "DATA":
                        self.say("354 go on")
                        size = 0
                        while (line := self.lines.readline()) != b".\\r\\n":
                            if not line or manner == "cutting":
                                return
                            size += len(line)
                        print("taken", size, flush=True)
                        self.say("250 2.0.0 taken")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
        server = Server(("127.0.0.1", 0), Handler)
        print("port", server.server_address[1], flush=True)
        server.serve_forever()
        """
}
