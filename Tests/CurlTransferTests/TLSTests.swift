import CurlTransfer
import Octets
import TestSupport
import Testing

@Suite("TLS (docs/promises.md, T2, T6)")
struct TLSTests {
    @Test("servers with a good certificate are spoken to")
    func good() async throws {
        let peer = try await TLSPeer(.good)
        let (kind, received) = try await outcome(peer.address)
        #expect(kind == nil && received.text == "<tls/>")
        #expect(received.heads.first?.value("X-Client") == "none")
    }

    @Test(
        "servers with another certificate are refused, and receive nothing of the request",
        arguments: [TLSFixture.Server.otherHost, .expired, .selfSigned])
    func bad(_ server: TLSFixture.Server) async throws {
        let peer = try await TLSPeer(server)
        let (kind, received) = try await outcome(peer.address)
        #expect(kind == .tls)
        #expect(received.heads.isEmpty)
    }

    @Test(
        "servers whose authority only the system trusts are refused if there is a trust store, and the other way round"
    )
    func otherStore() async throws {
        let peer = try await TLSPeer(.good)
        let (kind, _) = try await outcome(peer.address) { $0.trustStore = nil }
        #expect(kind == .tls)
    }

    @Test("servers that speak TLS 1.1 only are refused")
    func old() async throws {
        let peer = try await TLSPeer(.good, oldProtocol: true)
        let (kind, _) = try await outcome(peer.address)
        #expect(kind == .tls)
    }

    @Test("a client certificate is shown from a file and from memory")
    func client() async throws {
        let fixture = try await TLSFixture.shared
        let peer = try await TLSPeer(.good, demandsClient: true)
        let octets = try TestMaterial.octets(fixture.clientPFX)
        for certificate in [
            TransferSettings.ClientCertificate.file(path: fixture.clientPFX, password: TLSFixture.password),
            .octets(octets, password: TLSFixture.password),
        ] {
            let (kind, received) = try await outcome(peer.address) { $0.clientCertificate = certificate }
            #expect(kind == nil)
            #expect(received.heads.first?.value("X-Client") == "client")
        }
    }

    @Test("without the client certificate that a server demands there is no answer")
    func noClient() async throws {
        let peer = try await TLSPeer(.good, demandsClient: true)
        let (kind, received) = try await outcome(peer.address)
        #expect(kind != nil && received.heads.isEmpty)
    }

    @Test("a client certificate that cannot be used is named as the cause, without its password")
    func wrongPassword() async throws {
        let fixture = try await TLSFixture.shared
        let peer = try await TLSPeer(.good, demandsClient: true)
        let wrong: [TransferSettings.ClientCertificate] = [
            .file(path: fixture.clientPFX, password: "canary-password"),
            .octets(try TestMaterial.octets(fixture.clientPFX), password: "canary-password"),
            .octets([1, 2, 3], password: "canary-password"),
            .file(path: fixture.scratch.file("nowhere.p12"), password: "canary-password"),
        ]
        for certificate in wrong {
            let transfers = try HTTPTransfers {
                $0.trustStore = fixture.authority
                $0.clientCertificate = certificate
            }
            do throws(TransferError) {
                _ = try await transfers.perform(
                    HTTPRequest(url: peer.address, body: OctetString("x")), receiver: Received())
                Issue.record("a wrong certificate was used")
            } catch {
                #expect(error.kind == .clientCertificate, "\(error.kind): \(error.detail)")
                #expect(!error.detail.contains("canary"))
            }
        }
    }

    private func outcome(
        _ address: String, _ change: (inout TransferSettings) -> Void = { _ in }
    ) async throws -> (TransferError.Kind?, Received) {
        let fixture = try await TLSFixture.shared
        let transfers = try HTTPTransfers {
            $0.trustStore = fixture.authority
            change(&$0)
        }
        let received = Received()
        let kind = await failureKind { () async throws(TransferError) in
            try await transfers.perform(HTTPRequest(url: address, body: OctetString("x")), receiver: received)
        }
        return (kind, received)
    }
}
