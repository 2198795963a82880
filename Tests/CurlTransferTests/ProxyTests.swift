import CurlTransfer
import Foundation
import Octets
import TestSupport
import Testing

@Suite("HTTP proxies (docs/promises.md, T4)")
struct ProxyTests {
    static let hasTinyproxy = ProxyFixture.Program.tinyproxy.path != nil
    static let hasSquid = ProxyFixture.Program.squid.path != nil

    @Test("with Basic carry plain and TLS requests", .enabled(if: hasTinyproxy, "tinyproxy is not installed"))
    func tinyproxy() async throws {
        let proxy = try await ProxyFixture(.tinyproxy, .basic)
        try await carries(proxy, .init(user: "user", password: "password", scheme: .basic))
        try await refuses(proxy, .init(user: "user", password: "canary-password", scheme: .basic))
        try await refuses(proxy, nil)
    }

    @Test(
        "of another make carry them too, with Basic and with Digest", .enabled(if: hasSquid, "squid is not installed"),
        arguments: [ProxyFixture.Scheme.basic, .digest])
    func squid(_ scheme: ProxyFixture.Scheme) async throws {
        let proxy = try await ProxyFixture(.squid, scheme)
        let sent: TransferSettings.Proxy.Scheme = scheme == .basic ? .basic : .digest
        try await carries(proxy, .init(user: ProxyFixture.user, password: ProxyFixture.password, scheme: sent))
        try await refuses(proxy, .init(user: ProxyFixture.user, password: "canary-password", scheme: sent))
        try await refuses(proxy, nil)
    }

    @Test("of the environment are not used")
    func environment() async throws {
        let wrong = try ScriptedPeer.answering { _ in ScriptedPeer.answer(502, body: "proxy") }
        // One name only: every further one would move the environment under other tests that read it.
        setenv("http_proxy", wrong.address, 1)
        defer { unsetenv("http_proxy") }
        let peer = try ScriptedPeer.answering { _ in ScriptedPeer.answer(body: "direct") }
        let transfers = try HTTPTransfers { _ in }
        let received = Received()
        _ = try await transfers.perform(HTTPRequest(url: peer.address, body: OctetString("x")), receiver: received)
        #expect(received.text == "direct")
        #expect(wrong.connections == 0)
    }

    @Test("that do not exist end the transfer")
    func dead() async throws {
        let port = try DSSFixture.deadPort()
        let transfers = try HTTPTransfers { $0.proxy = .init(host: "127.0.0.1", port: port, credentials: nil) }
        let kind = await failureKind { () async throws(TransferError) in
            try await transfers.perform(HTTPRequest(url: "http://127.0.0.1:1/", body: nil), receiver: Received())
        }
        #expect(kind == .connection)
    }

    @Test("get credentials, servers behind them do not")
    func credentialsStay() async throws {
        let proxy = try ScriptedPeer.answering { _ in ScriptedPeer.answer(body: "through") }
        let transfers = try HTTPTransfers {
            $0.proxy = .init(
                host: "127.0.0.1", port: proxy.port, credentials: .init(user: "u", password: "p", scheme: .basic))
        }
        _ = try await transfers.perform(
            HTTPRequest(url: "http://server.example.test/x", body: OctetString("x")), receiver: Received())
        let request = try #require(proxy.requests.first)
        #expect(request.line == "POST http://server.example.test/x HTTP/1.1")
        #expect(request.value("proxy-authorization") == "Basic dTpw")
        #expect(request.value("authorization") == nil)
    }

    private func carries(_ proxy: ProxyFixture, _ credentials: TransferSettings.Proxy.Credentials) async throws {
        let fixture = try await TLSFixture.shared
        let transfers = try HTTPTransfers {
            $0.trustStore = fixture.authority
            $0.proxy = .init(host: "127.0.0.1", port: proxy.port, credentials: credentials)
        }
        // Large enough that the proxy asks for credentials after some of it was sent.
        let body = OctetString([UInt8](repeating: 0x42, count: 200_000))
        let plain = try ScriptedPeer.answering { ScriptedPeer.answer(body: "\($0.body.count)") }
        for _ in 0..<2 {
            let received = Received()
            let head = try await transfers.perform(HTTPRequest(url: plain.address, body: body), receiver: received)
            #expect(head.status == 200 && received.text == "200000")
        }
        #expect(plain.requests.allSatisfy { $0.value("proxy-authorization") == nil })
        let secure = try await TLSPeer(.good)
        let received = Received()
        let head = try await transfers.perform(HTTPRequest(url: secure.address, body: body), receiver: received)
        #expect(head.status == 200 && received.text == "<tls/>")
    }

    private func refuses(_ proxy: ProxyFixture, _ credentials: TransferSettings.Proxy.Credentials?) async throws {
        let transfers = try HTTPTransfers {
            $0.proxy = .init(host: "127.0.0.1", port: proxy.port, credentials: credentials)
        }
        let plain = try ScriptedPeer.answering { _ in ScriptedPeer.answer(body: "reached") }
        let head = try await transfers.perform(
            HTTPRequest(url: plain.address, body: OctetString("x")), receiver: Received())
        // tinyproxy answers 401 where it should say 407.
        #expect([401, 407].contains(head.status))
        #expect(plain.connections == 0)
        do throws(TransferError) {
            _ = try await transfers.perform(
                HTTPRequest(url: "https://127.0.0.1:1/", body: OctetString("x")), receiver: Received())
            Issue.record("the proxy made a tunnel")
        } catch {
            #expect([.proxy(status: 401), .proxy(status: 407)].contains(error.kind), "\(error.kind) \(error.detail)")
            #expect(!error.detail.contains("canary"))
        }
    }
}
