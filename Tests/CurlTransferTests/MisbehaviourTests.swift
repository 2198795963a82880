import CurlTransfer
import Octets
import TestSupport
import Testing

@Suite("Peers that misbehave (docs/promises.md, T5)")
struct MisbehaviourTests {
    /// The behaviour of a peer after it has read the request, and the expected end of the transfer.
    struct Misdeed: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let ending: TransferError.Kind
        let act: @Sendable (ScriptedPeer.Connection) -> Void
    }

    @Test("cost no more than the limits", .timeLimit(.minutes(1)), arguments: Misdeed.all)
    func misdeed(_ given: Misdeed) async throws {
        let peer = try ScriptedPeer { connection in
            guard connection.readRequest() != nil else { return }
            given.act(connection)
        }
        let transfers = try HTTPTransfers {
            $0.totalTimeout = .milliseconds(1500)
            $0.maximumAnswer = 100_000
        }
        let received = Received()
        let kind = await failureKind { () async throws(TransferError) in
            try await transfers.perform(HTTPRequest(url: peer.address, body: OctetString("x")), receiver: received)
        }
        #expect(kind == given.ending)
        #expect(received.body.count <= 100_000)
    }

    @Test("that compress unasked give the compressed octets, which do not grow")
    func compressed() async throws {
        let peer = try ScriptedPeer.answering { _ in
            ScriptedPeer.answer(200, ["Content-Encoding: gzip"], body: "\u{1F}\u{8}bomb")
        }
        let transfers = try HTTPTransfers { _ in }
        let received = Received()
        _ = try await transfers.perform(HTTPRequest(url: peer.address, body: OctetString("x")), receiver: received)
        #expect(received.text == "\u{1F}\u{8}bomb")
    }

    @Test("that send interim answers are tolerated while these are few")
    func interim() async throws {
        let peer = try ScriptedPeer.answering { _ in
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: interim\r\n\r\n"
                + ScriptedPeer.answer(body: "final")
        }
        let transfers = try HTTPTransfers { _ in }
        let received = Received()
        let head = try await transfers.perform(
            HTTPRequest(url: peer.address, body: OctetString("x")), receiver: received)
        #expect(head.status == 200 && head.value("X") == nil)
        #expect(received.heads.count == 1 && received.text == "final")
    }

    @Test("whose answer is not wanted are left")
    func unwanted() async throws {
        let peer = try ScriptedPeer.answering { _ in ScriptedPeer.answer(body: String(repeating: "x", count: 500_000)) }
        let transfers = try HTTPTransfers { _ in }
        let kind = await failureKind { () async throws(TransferError) in
            try await transfers.perform(
                HTTPRequest(url: peer.address, body: OctetString("x")), receiver: Received(limit: 10))
        }
        #expect(kind == .stoppedByReceiver)
    }
}

extension MisbehaviourTests.Misdeed {
    static let all: [Self] = [
        Self(testDescription: "says nothing", ending: .timeout) { _ = $0.waitForOther(milliseconds: 5000) },
        Self(testDescription: "closes at once", ending: .answer) { _ in },
        Self(testDescription: "drips", ending: .timeout) { connection in
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while connection.send("x"), !connection.waitForOther(milliseconds: 50) {}
        },
        Self(testDescription: "drips its header", ending: .timeout) { connection in
            connection.send("HTTP/1.1 200 OK\r\n")
            while connection.send("X: y\r\n"), !connection.waitForOther(milliseconds: 50) {}
        },
        Self(testDescription: "is cut", ending: .answer) {
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<a>")
        },
        Self(testDescription: "is cut in a chunk", ending: .answer) {
            $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc")
        },
        Self(testDescription: "sends chunks that are none", ending: .connection) {
            $0.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n")
        },
        Self(testDescription: "announces too much", ending: .tooLarge) {
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n")
        },
        Self(testDescription: "sends too much without a length", ending: .tooLarge) { connection in
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            let block = [UInt8](repeating: 0x41, count: 10_000)
            while connection.send(block), !connection.waitForOther(milliseconds: 0) {}
        },
        Self(testDescription: "sends too much in chunks", ending: .tooLarge) { connection in
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let block = "3E8\r\n" + String(repeating: "x", count: 1000) + "\r\n"
            while connection.send(block), !connection.waitForOther(milliseconds: 0) {}
        },
        Self(testDescription: "sends a header without end", ending: .tooLarge) { connection in
            connection.send("HTTP/1.1 200 OK\r\n")
            let line = "X: " + String(repeating: "x", count: 1000) + "\r\n"
            while connection.send(line), !connection.waitForOther(milliseconds: 0) {}
        },
        Self(testDescription: "sends interim answers without end", ending: .tooLarge) { connection in
            while connection.send("HTTP/1.1 100 Continue\r\n\r\n"), !connection.waitForOther(milliseconds: 0) {}
        },
        Self(testDescription: "speaks something else", ending: .answer) { $0.send("220 mail.example.test ESMTP\r\n") },
        Self(testDescription: "speaks HTTP/0.9", ending: .answer) { $0.send("<html>old</html>") },
        Self(testDescription: "gives two lengths", ending: .answer) {
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc")
        },
    ]
}
