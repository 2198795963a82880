import CurlTransfer
import Octets
import TestSupport
import Testing

@Suite("HTTP transfers")
struct TransferTests {
    @Test("send body and fields, and give back status, fields and body")
    func exchange() async throws {
        let peer = try ScriptedPeer.answering { request in
            ScriptedPeer.answer(
                201, ["X-Answer: yes ", "Content-Type: text/xml"], body: String(decoding: request.body, as: UTF8.self))
        }
        let transfers = try HTTPTransfers { _ in }
        let received = Received()
        let head = try await transfers.perform(
            HTTPRequest(
                url: peer.address + "/adss/signing/dss",
                fields: [HTTPField("SOAPAction", "\"\""), HTTPField("Content-Type", "text/xml")],
                body: OctetString("<question/>")),
            receiver: received)
        #expect(head.status == 201)
        #expect(head.value("x-answer") == "yes")
        #expect(received.heads == [head])
        #expect(received.text == "<question/>")
        let request = try #require(peer.requests.first)
        #expect(request.line == "POST /adss/signing/dss HTTP/1.1")
        #expect(request.value("content-length") == "11")
        #expect(request.value("soapaction") == "\"\"")
        for unwanted in ["expect", "accept-encoding", "transfer-encoding"] { #expect(request.value(unwanted) == nil) }
        await transfers.shutDown()
    }

    @Test("use few connections for many requests at a time")
    func reuse() async throws {
        let peer = try ScriptedPeer.answering { ScriptedPeer.answer(body: $0.value("x-number") ?? "") }
        let transfers = try HTTPTransfers { _ in }
        for _ in 0..<10 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        let received = Received()
                        _ = try await transfers.perform(
                            HTTPRequest(
                                url: peer.address, fields: [HTTPField("X-Number", "\(number)")], body: OctetString("b")),
                            receiver: received)
                        #expect(received.text == "\(number)")
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(peer.requests.count == 40)
        #expect(peer.connections <= 4)
        await transfers.shutDown()
    }

    @Test("send a large body as it is read, and pass on a large answer in pieces")
    func large() async throws {
        let body = [UInt8](repeating: 0x41, count: 3_000_000)
        let peer = try ScriptedPeer { connection in
            guard let request = connection.readRequest() else { return }
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n")
            connection.send(request.body)
        }
        let transfers = try HTTPTransfers { _ in }
        let received = Received()
        let rope = OctetRope([OctetString(body[..<1_000_000]), OctetString(body[1_000_000...])])
        _ = try await transfers.perform(HTTPRequest(url: peer.address, body: rope), receiver: received)
        #expect(received.body == body)
        #expect(received.chunks > 10)
    }

    @Test("send the body anew when a kept connection turns out to be dead", arguments: [4, 300_000])
    func deadConnection(size: Int) async throws {
        let peer = try ScriptedPeer { connection in
            guard connection.readRequest() != nil else { return }
            connection.send(ScriptedPeer.answer(body: "once"))
            // Reads the next request and says nothing: the connection ends under it.
            _ = connection.readRequest()
        }
        let transfers = try HTTPTransfers { _ in }
        let body = [UInt8](repeating: 0x62, count: size)
        for _ in 0..<2 {
            let received = Received()
            _ = try await transfers.perform(
                HTTPRequest(url: peer.address, body: OctetString(body)), receiver: received)
            #expect(received.text == "once")
        }
        #expect(peer.requests.map(\.body) == [body, body, body])
    }

    @Test("send an empty body too")
    func emptyBody() async throws {
        let peer = try ScriptedPeer.answering { ScriptedPeer.answer(body: $0.value("content-length") ?? "none") }
        let received = Received()
        _ = try await HTTPTransfers { _ in }.perform(
            HTTPRequest(url: peer.address, body: OctetString()), receiver: received)
        #expect(received.text == "0")
    }

    @Test("follow no redirect", arguments: [301, 302, 303, 307, 308])
    func redirect(status: Int) async throws {
        let other = try ScriptedPeer.answering { _ in ScriptedPeer.answer(body: "wrong") }
        let peer = try ScriptedPeer.answering { _ in
            ScriptedPeer.answer(status, ["Location: \(other.address)/"], body: "")
        }
        let transfers = try HTTPTransfers { _ in }
        let head = try await transfers.perform(
            HTTPRequest(url: peer.address, body: OctetString("x")), receiver: Received())
        #expect(head.status == status)
        #expect(other.connections == 0)
    }

    @Test("end if nobody listens")
    func nobody() async throws {
        let transfers = try HTTPTransfers { _ in }
        let port = try DSSFixture.deadPort()
        let kind = await failureKind { () async throws(TransferError) in
            try await transfers.perform(HTTPRequest(url: "http://127.0.0.1:\(port)/", body: nil), receiver: Received())
        }
        #expect(kind == .connection)
    }

    @Test(
        "accept only http and https, and no user in the address",
        arguments: [
            "file:///etc/passwd", "ftp://127.0.0.1/x", "http://u:secret@127.0.0.1/", "no url", "gopher://127.0.0.1",
        ])
    func addresses(url: String) async throws {
        let transfers = try HTTPTransfers { _ in }
        let received = Received()
        do throws(TransferError) {
            _ = try await transfers.perform(HTTPRequest(url: url, body: nil), receiver: received)
            Issue.record("\(url) was taken")
        } catch {
            #expect(error.kind == .url || error.kind == .connection, "\(error.kind)")
            #expect(!error.detail.contains("secret"))
        }
        #expect(received.body.isEmpty)
    }

    @Test("end when their task is cancelled, at any time", arguments: [0, 5, 50])
    func cancelled(delay: Int) async throws {
        let peer = try ScriptedPeer { connection in
            _ = connection.readRequest()
            connection.waitForClose()
        }
        let transfers = try HTTPTransfers { _ in }
        let task = Task {
            await failureKind { () async throws(TransferError) in
                try await transfers.perform(
                    HTTPRequest(url: peer.address, body: OctetString("x")), receiver: Received())
            }
        }
        if delay > 0 { _ = try await eventually("a request") { peer.requests.isEmpty ? nil : () } }
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    @Test("end when their task was cancelled before they began", .timeLimit(.minutes(1)))
    func cancelledBefore() async throws {
        let peer = try ScriptedPeer { connection in
            _ = connection.readRequest()
            connection.waitForClose()
        }
        let transfers = try HTTPTransfers { $0.totalTimeout = .milliseconds(2_000) }
        for _ in 0..<300 {
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return await failureKind { () async throws(TransferError) in
                    try await transfers.perform(
                        HTTPRequest(url: peer.address, body: OctetString("x")), receiver: Received())
                }
            }
            task.cancel()
            #expect(await task.value == .cancelled)
        }
    }

    @Test("that are shut down finish requests under way and accept no more")
    func shutDown() async throws {
        let peer = try ScriptedPeer.answering { _ in ScriptedPeer.answer(body: "done") }
        let transfers = try HTTPTransfers { _ in }
        let received = Received()
        _ = try await transfers.perform(HTTPRequest(url: peer.address, body: OctetString("x")), receiver: received)
        #expect(received.text == "done")
        await transfers.shutDown()
        let kind = await failureKind { () async throws(TransferError) in
            try await transfers.perform(HTTPRequest(url: peer.address, body: nil), receiver: Received())
        }
        #expect(kind == .cancelled)
        await transfers.shutDown()
    }
}
