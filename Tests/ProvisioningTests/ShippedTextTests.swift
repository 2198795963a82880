import Foundation
import SESConfiguration
import TestSupport
import Testing
import Workflows

@testable import Provisioning

@Suite("The texts that setup writes")
struct ShippedTextTests {
    static func answers(
        server: SetupAnswers.Server = .embedded, directions: SetupAnswers.Directions = .both,
        nextHop: SetupAnswers.NextHop = .gateway(host: "127.0.0.1", port: 10_025)
    ) -> SetupAnswers {
        SetupAnswers(
            domain: "example.test", administrator: "admin@example.test", server: server, nextHop: nextHop,
            directions: directions, profile: "adss:signing:profile:007", key: "samples_test_signing_certificate",
            hostName: "ses.example.test")
    }

    private static let socket = "/var/lib/ses-dss/socket"
    private static let spool = "/var/spool/ses"

    private func shipped(_ name: String) throws -> String {
        String(decoding: try TestMaterial.octets(TestMaterial.project + "/conf/" + name), as: UTF8.self)
    }

    @Test("conf/ses.xml is the text for the sample domain and the sample keys")
    func ses() throws {
        let text = SESText(
            Self.answers(), spool: Self.spool, socket: Self.socket, client: "samples_test_client", isExample: true
        ).text
        #expect(try text == shipped("ses.xml"))
    }

    @Test("conf/relay.xml is the text for the sample domain")
    func relay() throws {
        #expect(try RelayText(Self.answers(), spool: Self.spool, isExample: true).text == shipped("relay.xml"))
    }

    @Test(
        "every combination of answers is a configuration without fault and warning",
        arguments: SetupAnswers.Directions.allCases,
        [
            SetupAnswers.Server.embedded,
            .remote(
                signing: "https://adss.example.test/adss/signing/dss",
                verification: "https://adss.example.test/adss/verification/dss", client: "a&b"),
        ])
    func combinations(_ directions: SetupAnswers.Directions, _ server: SetupAnswers.Server) throws {
        let scratch = try ScratchDirectory()
        for nextHop in [SetupAnswers.NextHop.exchangers, .gateway(host: "mail.example.test", port: 25)] {
            let answers = Self.answers(server: server, directions: directions, nextHop: nextHop)
            let text = SESText(answers, spool: Self.spool, socket: Self.socket, client: "ses").text
            let settings = try SESConfiguration.load(path: try scratch.write(Array(text.utf8), to: "ses.xml"))
            #expect(settings.warnings.isEmpty, "\(settings.warnings)")
            #expect(settings.policy.outgoing.workflows.isEmpty == (directions == .incoming))
            #expect(settings.policy.incoming.workflows.isEmpty == (directions == .outgoing))
            #expect(settings.policy.indeterminateAction == .recipients)
            #expect(settings.policy.notTrustedAction == .administrator)
            let relay = RelayText(answers, spool: Self.spool).text
            #expect(try loadRelay(path: try scratch.write(Array(relay.utf8), to: "relay.xml")).warnings.isEmpty)
            #expect(!text.contains("CHANGE") && !relay.contains("CHANGE"))
        }
    }
}
