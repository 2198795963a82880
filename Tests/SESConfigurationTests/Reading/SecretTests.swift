import TestSupport
import Testing

@testable import SESConfiguration

@Suite("Secrets")
struct SecretTests {
    private func proxy(_ password: String, environment: [String: String] = [:], file: [UInt8]? = nil) throws -> Secret?
    {
        var fixture = ConfigurationFixture()
        fixture.services = """
            <ProxySettings status="enable"><ProxyHost>h</ProxyHost><ProxyPort>1</ProxyPort>
            <Credentials status="enable"><ProxyUserName>u</ProxyUserName>\(password)
            <AuthenticationScheme>DIGEST</AuthenticationScheme></Credentials></ProxySettings>
            """
        let scratch = try ScratchDirectory()
        if let file { try scratch.write(file, to: "secret") }
        let path = try scratch.write(Array(fixture.text.utf8), to: "ses.xml")
        return try load(path: path, environment: environment).proxy?.credentials?.password
    }

    @Test("come as text, from the environment or from a file beside the configuration")
    func sources() throws {
        #expect(try proxy("<ProxyPassword> a &amp; b </ProxyPassword>") == Secret("a & b"))
        #expect(try proxy("<ProxyPassword env='SES_P'/>", environment: ["SES_P": " s p "]) == Secret(" s p "))
        #expect(try proxy("<ProxyPassword file='secret'/>", file: Array("hidden \n".utf8)) == Secret("hidden "))
        #expect(try proxy("<ProxyPassword file='secret'/>", file: Array("hidden\r\n".utf8)) == Secret("hidden"))
        #expect(try proxy("<ProxyPassword file='secret'/>", file: Array("hidden".utf8)) == Secret("hidden"))
    }

    @Test("a source without a secret is a fault")
    func faults() {
        #expect(throws: ConfigurationFaults.self) {
            try proxy("<ProxyPassword env='SES_P'/>", environment: ["SES_P": ""])
        }
        #expect(throws: ConfigurationFaults.self) { try proxy("<ProxyPassword file='absent'/>") }
        #expect(throws: ConfigurationFaults.self) { try proxy("<ProxyPassword file='secret'/>", file: []) }
        #expect(throws: ConfigurationFaults.self) { try proxy("<ProxyPassword file='secret'/>", file: [0xFF, 0x0A]) }
        #expect(throws: ConfigurationFaults.self) {
            try proxy("<ProxyPassword file='secret'/>", file: [UInt8](repeating: 0x61, count: 5_000))
        }
        #expect(throws: ConfigurationFaults.self) { try proxy("<ProxyPassword file='.'/>") }
    }

    @Test("are never shown")
    func hidden() throws {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!"\(secret) \(secret as Any) \(String(reflecting: secret)) \(dumped)".contains("hunter2"))
        var fixture = ConfigurationFixture()
        fixture.services = """
            <ClientAuthPfxSettings status="enable"><PfxFilePath>a</PfxFilePath><PfxPassword>hunter2</PfxPassword>
            </ClientAuthPfxSettings>
            """
        let configuration = try fixture.load()
        dump(configuration, to: &dumped)
        #expect(!"\(configuration) \(dumped)".contains("hunter2"))
    }

    @Test("a fault beside a secret does not show it")
    func faultsHide() throws {
        var fixture = ConfigurationFixture()
        fixture.services = """
            <ClientAuthPfxSettings status="enable"><PfxFilePath>a</PfxFilePath>
            <PfxPassword file="x">hunter2</PfxPassword></ClientAuthPfxSettings>
            """
        let faults = try fixture.faults
        #expect(!faults.isEmpty)
        #expect(!faults.description.contains("hunter2"))
    }
}
