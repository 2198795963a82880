import CMSSignatures
import Foundation
import Octets
import SigningServer
import TestSupport
import Testing

@Suite("The signing server over TLS")
struct TLSTests {
    @Test("serves only clients with a certificate of the configured authority")
    func clientCertificates() async throws {
        let now = Int(Date().timeIntervalSince1970)
        let validity = now - 3_600...now + 86_400
        let authority = try DemoAuthority(commonName: "TLS", validity: validity)
        let scratch = try ScratchDirectory()
        let own = try authority.issue(commonName: "server", for: .server(host: "127.0.0.1"), validity: validity)
        let client = try authority.issue(commonName: "client", for: .client, validity: validity)
        let stranger = try DemoAuthority(commonName: "Other", validity: validity)
            .issue(commonName: "client", for: .client, validity: validity)
        let pfx = try scratch.write(try PKCS12.export(own, password: "secret", friendlyName: "tls"), to: "tls.p12")
        let anchor = try scratch.write(Array(authority.certificate.pem.utf8), to: "tls.pem")
        let server = try await RunningServer {
            $0.replacing(
                "<Key alias=\"samples",
                with: "<TLS pfx=\"\(pfx)\" password=\"secret\" clientCA=\"\(anchor)\"/>\n<Key alias=\"samples")
        }
        #expect(server.address.hasPrefix("https://127.0.0.1:"))
        func options(_ key: SigningKey, _ name: String) throws -> [String] {
            let certificate = try scratch.write(Array(key.certificate.pem.utf8), to: name + ".crt")
            let privateKey = try scratch.write(try key.privateKeyPEM(), to: name + ".key")
            return ["--cacert", anchor, "--cert", certificate, "--key", privateKey]
        }
        let entity = Array(SignedMail.entity.utf8)
        let good = try await server.sign(entity, options: try options(client, "client"))
        #expect(good.text(of: "ResultMajor")?.hasSuffix(":Success") == true, "\(good)")
        #expect(try await server.sign(entity, options: try options(stranger, "stranger")).status == 0)
        #expect(try await server.sign(entity, options: ["--cacert", anchor]).status == 0)
    }
}
