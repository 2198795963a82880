import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    @Suite("ses import")
    struct Import {
        private static let james = """
            <?xml version="1.0"?>
            <!DOCTYPE config [ <!ENTITY more SYSTEM "more.xml"> ]>
            <config><James><postmaster>postmaster</postmaster>
            <servernames><servername>ses.example.test</servername></servernames></James>&more;
            <mailet match="All" class="RemoteDelivery"><outgoing>file://var/mail/outgoing/</outgoing>
            <delayTime>300000</delayTime><maxRetries>5</maxRetries><deliveryThreads>1</deliveryThreads>
            <sendpartial>false</sendpartial><gateway>127.0.0.1:2525</gateway>
            <gatewayusername>user</gatewayusername><gatewayPassword>secret</gatewayPassword></mailet></config>
            """

        /// The directory of an original, with the sample of every element of its grammar.
        private func original(_ machine: TrialMachine, address: String = "http://127.0.0.1:8777") throws -> String {
            let home = machine.root + "/original"
            let ses = """
                <?xml version="1.0" encoding="UTF-8"?>
                <!-- our own remark -->
                <SES><Settings><DomainName>example.test</DomainName>
                <AdminEmailAddress>admin@
                  example.test</AdminEmailAddress>
                <OriginatorId>samples_test_client</OriginatorId>
                <SigningServiceSettings><SigningServiceAddress>
                <PrimaryAddress>\(address)/adss/signing/dss
                </PrimaryAddress></SigningServiceAddress></SigningServiceSettings></Settings>
                <Outgoing><Sign><Workflow><Filter><AND><From contains="*@example.test"/>
                <Email signed="false" encrypted="false"/></AND></Filter><OperationRule>SIGN_EMAIL</OperationRule>
                <ProfileSelection><SignEmail profileId="adss:signing:profile:007"/></ProfileSelection>
                <CertificateSelection><SignEmail alias="FROM_EMAIL_ADDRESS"/></CertificateSelection>
                </Workflow></Sign></Outgoing></SES>
                """
            for (path, text) in [("/conf/ses.xml", ses), ("/apps/james/SAR-INF/config.xml", Self.james)] {
                let folder = URL(fileURLWithPath: home + path).deletingLastPathComponent().path
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try Data(text.utf8).write(to: URL(fileURLWithPath: home + path))
            }
            return home
        }

        private func take(
            _ machine: TrialMachine, _ directory: String, _ options: [String] = []
        ) async throws -> RunningProgram.Finished {
            try await RunningProgram.run(
                try Programs.path("ses"), ["import", directory, "--root", machine.root] + options)
        }

        @Test("configuration and mail server settings are taken, both checks accept them, and nothing is written over")
        func whole() async throws {
            let machine = try TrialMachine()
            let home = try original(machine)
            let taken = try await take(machine, home)
            #expect(taken.status == 0, "\(taken)")
            let ses = try machine.text(machine.ses)
            #expect(ses.contains("<!-- our own remark -->") && ses.contains(">admin@example.test<"))
            let relay = try machine.text(machine.relay)
            for part in [
                "<gateway>127.0.0.1</gateway>", "<gatewayPort>2525</gatewayPort>", "<delayTime>5 minutes</delayTime>",
                "<maxRetries>5</maxRetries>", "<sendpartial>false</sendpartial>", "<TLS level=\"required\"/>",
                "<gatewayPassword file=\"relay.password\"/>", "<servername>ses.example.test</servername>",
            ] { #expect(relay.contains(part), "\(part) in \(relay)") }
            #expect(!relay.contains("outgoing") && !relay.contains("secret"))
            #expect(try machine.text(machine.root + "/etc/ses/relay.password") == "secret\n")
            #expect(taken.output.contains("<outgoing>") && taken.output.contains("To be done by hand:"), "\(taken)")
            #expect(taken.output.contains("password in clear"), "\(taken)")
            for (program, path) in [("ses", machine.ses), ("ses-relay", machine.relay)] {
                let checked = try await RunningProgram.run(try Programs.path(program), ["check", "--config", path])
                #expect(checked.status == 0, "\(checked)")
            }
            let again = try await take(machine, home)
            #expect(again.status == 1 && again.output.contains("is there already and was not changed"), "\(again)")
            #expect(try machine.text(machine.ses) == ses && machine.text(machine.relay) == relay)
        }

        @Test("a password over any connection is kept where that is said")
        func clear() async throws {
            let machine = try TrialMachine()
            let taken = try await take(machine, try original(machine), ["--login", "clear"])
            #expect(taken.status == 0, "\(taken)")
            #expect(try machine.text(machine.relay).contains("<gatewayusername inClear=\"true\">user<"))
            let checked = try await RunningProgram.run(
                try Programs.path("ses-relay"), ["check", "--config", machine.relay])
            #expect(checked.status == 0, "\(checked)")
        }

        @Test("the original's grammar in full is taken with its client certificate and its authorities")
        func full() async throws {
            let machine = try TrialMachine()
            let home = machine.root + "/original"
            try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
            let keys = try await DSSFixture.demo.directory + "/keys/alice@example.test"
            let password = String(decoding: try TestMaterial.octets(keys + ".password"), as: UTF8.self)
                .trimmingCharacters(in: .newlines)
            let sample = String(
                decoding: try TestMaterial.octets(
                    TestMaterial.project + "/Tests/Fixtures/configuration/original.xml"), as: UTF8.self)
            let text = sample.replacing(
                "<ClientAuthPfxSettings status=\"disable\">", with: "<ClientAuthPfxSettings status=\"enable\">"
            )
            .replacing("password12", with: password)
            try Data(text.utf8).write(to: URL(fileURLWithPath: home + "/ses.xml"))
            try Data(try TestMaterial.octets(keys + ".p12")).write(to: URL(fileURLWithPath: home + "/Client.pfx"))
            let store = home + "/jssecacerts"
            let made = try await RunningProgram.run(
                "/usr/bin/keytool",
                [
                    "-importcert", "-noprompt", "-alias", "server", "-file", try await DSSFixture.demo.anchor,
                    "-keystore", store, "-storepass", "changeit", "-storetype", "JKS",
                ], asRoot: true)
            try #require(made.status == 0, "\(made)")
            #expect(chmod(store, 0o644) == 0)
            let taken = try await take(machine, home)
            #expect(taken.status == 0, "\(taken)")
            #expect(
                taken.output.contains("1 authority") && taken.output.contains("the client certificate, now"), "\(taken)"
            )
            let ses = try machine.text(machine.ses)
            #expect(ses.contains("<PfxFilePath>\(machine.root)/etc/ses/client.pfx</PfxFilePath>"))
            #expect(ses.contains("<TrustStore>\(machine.root)/etc/ses/server-ca.pem</TrustStore>"))
            let checked = try await RunningProgram.run(
                try Programs.path("ses"), ["check", "--config", machine.ses])
            #expect(checked.status == 0, "\(checked)")
        }
    }
}
