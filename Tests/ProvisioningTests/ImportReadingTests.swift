import CMSSignatures
import Foundation
import HostProcess
import Octets
import TestSupport
import Testing

@testable import Provisioning

@Suite("Reading the files of the original")
struct ImportReadingTests {
    @Test("the text of James' configuration is read with its document type and entities passed over")
    func james() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(Array(JamesSample.text.utf8), to: "config.xml")
        let james = try JamesConfiguration(path: path)
        let delivery = try #require(james.deliveries.first)
        #expect(james.deliveries.count == 2 && delivery.match == "All")
        #expect(delivery.outgoing == "file://var/mail/outgoing/" && delivery.delays == ["5 minutes"])
        #expect(delivery.maxRetries == "7" && delivery.threads == "3" && delivery.sendsPartial == "true")
        #expect(delivery.gateways == ["mail.example.test"] && delivery.port == "2525")
        #expect(delivery.user == "relay" && delivery.password == "geheim & co")
        #expect(delivery.others == ["bounceProcessor"])
        #expect(
            james.postmaster == "postmaster@example.test" && james.serverNames == ["localhost", "ses.example.test"])
        #expect(james.nameServers == ["192.0.2.53"])
        #expect(delivery.line > 10)
    }

    @Test(
        "a delay without a unit is milliseconds",
        arguments: [
            ("300000", "5 minutes"), ("3600000", "1 hour"), ("21600000", "6 hours"), ("1000", "1 second"),
            ("86400000", "1 day"), ("5 minutes", "5 minutes"), ("3*10 minutes, 2 hours", "3*10 minutes, 2 hours"),
        ])
    func delay(_ text: String, _ expected: String) {
        #expect(JamesConfiguration.Delivery.delay(text) == expected)
    }

    @Test("addresses that were broken over lines are joined, and nothing else is changed")
    func joining() throws {
        let text = """
            <SES><Settings><AdminEmailAddress>admin@
              example.test</AdminEmailAddress>
            <!-- a comment
                 of two lines -->
            <PrimaryAddress>http://127.0.0.1/a
            </PrimaryAddress></Settings>
            <To contains="*@example.test,
               bob@partner.test"/><Subject contains="two
            lines"/></SES>
            """
        let scratch = try ScratchDirectory()
        var adoption = try SESAdoption(path: try scratch.write(Array(text.utf8), to: "ses.xml"))
        adoption.joinAddresses()
        #expect(adoption.text.contains("<AdminEmailAddress>admin@example.test</AdminEmailAddress>"))
        #expect(adoption.text.contains("<To contains=\"*@example.test,bob@partner.test\"/>"))
        #expect(adoption.text.contains("<PrimaryAddress>http://127.0.0.1/a</PrimaryAddress>"))
        #expect(adoption.text.contains("of two lines") && adoption.text.contains("\"two\nlines\""))
        #expect(adoption.changes == ["line breaks in 3 addresses joined"])
    }

    @Test("a file in the character set of Windows becomes UTF-8, and says so")
    func characterSet() throws {
        let scratch = try ScratchDirectory()
        let text =
            Array("<?xml version=\"1.0\" encoding=\"windows-1252\"?>\r\n<SES>M".utf8) + [0xFC]
            + Array("ller</SES>".utf8)
        let adoption = try SESAdoption(path: try scratch.write(text, to: "ses.xml"))
        #expect(adoption.text == "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SES>Müller</SES>")
    }

    @Test(
        "the authorities of a key store made by keytool are read in both of its forms",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/keytool"), "needs keytool"),
        arguments: ["JKS", "PKCS12"])
    func keyStore(_ form: String) async throws {
        let scratch = try ScratchDirectory()
        let authority = try DemoAuthority(commonName: "Server CA", validity: 1_700_000_000...2_000_000_000)
        let pem = try scratch.write(Array(authority.certificate.pem.utf8), to: "ca.pem")
        let store = scratch.file("jssecacerts")
        let made = try await RunningProgram.run(
            "/usr/bin/keytool",
            [
                "-importcert", "-noprompt", "-alias", "server", "-file", pem, "-keystore", store, "-storepass",
                "changeit", "-storetype", form,
            ], asRoot: true)
        try #require(made.status == 0, "\(made)")
        let read = try TrustConversion.pem(of: store).get()
        #expect(read.count == 1)
        #expect(try Certificate.readAll(OctetString(read.text)).map(\.der) == [authority.certificate.der])
        if form == "JKS" {
            #expect(try JavaKeyStore(OctetString(try TestMaterial.octets(store))).trusted.map(\.alias) == ["server"])
        }
    }

    @Test("a key store that ends early, or is none, is refused with the command that reads it elsewhere")
    func damaged() throws {
        #expect(throws: JavaKeyStoreError.self) {
            try JavaKeyStore(OctetString([0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2, 0]))
        }
        let scratch = try ScratchDirectory()
        let path = try scratch.write(Array("nothing".utf8), to: "jssecacerts")
        guard case .failure(let error) = TrustConversion.pem(of: path) else {
            Issue.record("it was read")
            return
        }
        #expect(error.text.contains("keytool -list -rfc -keystore \(path)") && error.text.contains("<TrustStore>"))
    }
}

/// A `config.xml` as the original shipped it, as far as it matters.
enum JamesSample {
    static let text = """
        <?xml version="1.0"?>
        <!DOCTYPE config [
        <!ENTITY listserverConfig SYSTEM "../apps/james/conf/james-listmanager.xml">
        <!ENTITY fetchmailConfig SYSTEM "../apps/james/conf/james-fetchmail.xml">
        ]>
        <config>
          <James>
            <postmaster>postmaster@example.test</postmaster>
            <servernames autodetect="TRUE" autodetectIP="TRUE">
              <servername>localhost</servername>
              <servername>ses.example.test</servername>
            </servernames>
          </James>
          &fetchmailConfig;
          <dnsserver><servers><server>192.0.2.53</server></servers><autodiscover>true</autodiscover></dnsserver>
          <spoolmanager>
            <processor name="transport">
              &listserverConfig;
              <mailet match="All" class="RemoteDelivery">
                <outgoing> file://var/mail/outgoing/ </outgoing>
                <delayTime> 5 minutes </delayTime>
                <maxRetries> 7 </maxRetries>
                <deliveryThreads> 3 </deliveryThreads>
                <sendpartial>true</sendpartial>
                <bounceProcessor>bounces</bounceProcessor>
                <gateway> mail.
                  example.test </gateway>
                <gatewayPort>2525</gatewayPort>
                <gatewayusername>relay</gatewayusername>
                <gatewayPassword>geheim &amp; co</gatewayPassword>
              </mailet>
              <mailet match="HostIs=partner.test" class="RemoteDelivery"><gateway>192.0.2.9</gateway></mailet>
            </processor>
          </spoolmanager>
        </config>
        """
}
