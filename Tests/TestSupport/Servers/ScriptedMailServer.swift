import Synchronization

/// A mail server on a loopback port that answers each step of the dialogue as a test says.
public final class ScriptedMailServer: Sendable {
    /// A step of the client.
    public enum Step: Sendable, Hashable {
        case connected
        case ehlo
        case mail
        /// By the local-part.
        case rcpt(String)
        case data
        /// The message has come whole.
        case content
        case rset
        case quit
        case other(String)
    }

    /// The server's reaction to a step.
    public enum Deed: Sendable, Hashable {
        /// These lines, each with CRLF.
        case say([String])
        /// Just these octets, in as many packets.
        case send([String])
        /// A line, one octet at a time, about a hundred a second, without its end.
        case drip(String)
        /// Closes, after these lines.
        case close([String])
        /// Resets the connection.
        case reset
        /// Reads nothing more and says nothing, until the client goes.
        case silence
        /// Replies 354, takes some of the message, says these lines and resets the connection.
        case closeWithinContent([String])
        /// Replies 354, and takes nothing of the message until the client goes.
        case stopWithinContent

        public static func say(_ line: String) -> Deed { .say([line]) }
    }

    /// A message that was taken.
    public struct Mail: Sendable {
        public let mailLine: String
        /// Those answered with 2yz.
        public let recipients: [String]
        /// The content as received, transparency undone, without the final dot.
        public let content: [UInt8]
        public var text: String { String(decoding: content, as: UTF8.self) }
    }

    /// Usual capabilities, without PIPELINING.
    public static let capabilities = ["SIZE 1000000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES"]

    private final class Log: Sendable {
        let state = Mutex<(lines: [String], mails: [Mail])>(([], []))
    }

    private let log = Log()
    private let peer: ScriptedPeer
    public var port: Int { peer.port }
    public var connections: Int { peer.connections }
    /// All command lines so far, without CRLF, of all connections; `<connected>` before those of each.
    public var lines: [String] { log.state.withLock { $0.lines } }
    /// The messages whose final dot was answered with 2yz.
    public var mails: [Mail] { log.state.withLock { $0.mails } }

    /// - Parameters:
    ///   - place: The address to listen on; by default a free port of 127.0.0.1.
    ///   - capabilities: Said in reply to EHLO.
    ///   - deed: The reaction to a step; nil for that of an ordinary server. Called from several threads.
    public init(
        at place: LoopbackPlace = LoopbackPlace(), capabilities: [String] = ScriptedMailServer.capabilities,
        _ deed: @escaping @Sendable (Step) -> Deed? = { _ in nil }
    ) throws {
        let log = log
        peer = try ScriptedPeer(at: place) { connection in
            Conversation(connection, capabilities: capabilities, deed: deed) { change in
                log.state.withLock { change(&$0.lines, &$0.mails) }
            }.run()
        }
    }

    /// One connection.
    private struct Conversation {
        let connection: ScriptedPeer.Connection
        let capabilities: [String]
        let deed: @Sendable (Step) -> Deed?
        let note: ((inout [String], inout [Mail]) -> Void) -> Void

        init(
            _ connection: ScriptedPeer.Connection, capabilities: [String], deed: @escaping @Sendable (Step) -> Deed?,
            note: @escaping (((inout [String], inout [Mail]) -> Void)) -> Void
        ) {
            self.connection = connection
            self.capabilities = capabilities
            self.deed = deed
            self.note = note
        }

        func run() {
            note { lines, _ in lines.append("<connected>") }
            guard perform(.connected) != nil else { return }
            var mailLine: String?
            var recipients: [String] = []
            while let octets = connection.read(through: "\r\n") {
                let line = String(decoding: octets.dropLast(2), as: UTF8.self)
                note { lines, _ in lines.append(line) }
                let step = Self.step(line)
                let isAfterMail = mailLine != nil
                guard let first = perform(step, isAfterMail ? nil : .say("503 5.5.1 MAIL first")) else { return }
                switch step {
                case .mail:
                    mailLine = first == "2" ? line : nil
                    recipients = []
                case .rset: mailLine = nil
                case .rcpt(let name) where first == "2": recipients.append(name)
                case .data where first == "3":
                    guard let content = readContent(), let reply = perform(.content) else { return }
                    if reply == "2", let mailLine, !recipients.isEmpty {
                        let mail = Mail(mailLine: mailLine, recipients: recipients, content: content)
                        note { _, mails in mails.append(mail) }
                    }
                    recipients = []
                    mailLine = nil
                case .quit: return
                default: break
                }
            }
        }

        /// - Parameter withoutMail: The reply to RCPT and DATA, if it is not the usual one.
        /// - Returns: The first character of the reply's last line; nil when the connection is over.
        private func perform(_ step: Step, _ withoutMail: Deed? = nil) -> Character? {
            switch deed(step) ?? usual(step, withoutMail) {
            case .say(let lines):
                return connection.send(lines.map { $0 + "\r\n" }.joined()) ? lines.last?.first : nil
            case .send(let pieces):
                for piece in pieces {
                    guard connection.send(piece) else { return nil }
                    // Packets of their own.
                    _ = connection.waitForOther(milliseconds: 5)
                }
                return pieces.joined().split(separator: "\r\n").last?.first ?? " "
            case .drip(let line):
                for octet in line.utf8 {
                    guard connection.send([octet]), !connection.waitForOther(milliseconds: 10) else { return nil }
                }
                _ = connection.waitForOther(milliseconds: 30_000)
                return nil
            case .close(let lines):
                connection.send(lines.map { $0 + "\r\n" }.joined())
                return nil
            case .reset:
                connection.reset()
                return nil
            case .silence:
                _ = connection.read(through: "\r\n no line has this \r\n")
                return nil
            case .closeWithinContent(let lines):
                connection.send("354 go on\r\n")
                _ = connection.read(through: "\r\n")
                connection.send(lines.map { $0 + "\r\n" }.joined())
                connection.reset()
                return nil
            case .stopWithinContent:
                connection.send("354 go on\r\n")
                connection.waitForClose()
                return nil
            }
        }

        private func usual(_ step: Step, _ withoutMail: Deed?) -> Deed {
            switch step {
            case .connected: .say("220 mail.example.test ESMTP")
            case .ehlo:
                .say(
                    (["mail.example.test"] + capabilities).enumerated().map { index, word in
                        "250\(index == capabilities.count ? " " : "-")\(word)"
                    })
            case .mail, .rset, .other: .say("250 2.0.0 ok")
            case .rcpt: withoutMail ?? .say("250 2.0.0 ok")
            case .data: withoutMail ?? .say("354 go on")
            case .content: .say("250 2.0.0 taken")
            case .quit: .close(["221 2.0.0 bye"])
            }
        }

        private static func step(_ line: String) -> Step {
            let upper = line.uppercased()
            if upper.hasPrefix("EHLO") || upper.hasPrefix("HELO") { return .ehlo }
            if upper.hasPrefix("MAIL FROM:") { return .mail }
            if upper.hasPrefix("RCPT TO:") {
                return .rcpt(String(line.dropFirst("RCPT TO:<".count).prefix { $0 != "@" }))
            }
            switch upper {
            case "DATA": return .data
            case "RSET": return .rset
            case "QUIT": return .quit
            default: return .other(line)
            }
        }

        /// Ends at CRLF, dot, CRLF alone, which may be all that comes.
        private func readContent() -> [UInt8]? {
            var content: [UInt8] = []
            while let line = connection.read(through: "\r\n") {
                if line == Array(".\r\n".utf8) { return content }
                content += line.first == UInt8(ascii: ".") ? line[1...] : line[...]
            }
            return nil
        }
    }
}
