import TestSupport

@testable import SESConfiguration

/// A `ses.xml` of a test's own, put together from its parts; a part is left out when it is empty.
struct ConfigurationFixture {
    var settings = """
        <DomainName>example.test</DomainName>
        <AdminEmailAddress>admin@example.test</AdminEmailAddress>
        <OriginatorId>client</OriginatorId>
        """
    var services = """
        <SigningServiceSettings><SigningServiceAddress>
        <PrimaryAddress>http://127.0.0.1:8777/s</PrimaryAddress>
        </SigningServiceAddress></SigningServiceSettings>
        <VerificationServiceSettings><VerificationServiceAddress>
        <PrimaryAddress>http://127.0.0.1:8777/v</PrimaryAddress>
        </VerificationServiceAddress></VerificationServiceSettings>
        """
    var rest = ""

    /// A signing workflow with this filter.
    static func sign(
        filter: String = "", rule: String = "SIGN_EMAIL",
        profiles: String = "<SignAttachment profileId=\"a\"/><SignEmail profileId=\"e\"/>", keys: String = "",
        name: String = ""
    ) -> String {
        "<Workflow\(name.isEmpty ? "" : " name=\"\(name)\"")>\(filter)<OperationRule>\(rule)</OperationRule>"
            + "<ProfileSelection>\(profiles)</ProfileSelection>\(keys)</Workflow>"
    }

    static func verify(
        filter: String = "", rule: String = "VERIFY_EMAIL", result: String = ""
    ) -> String {
        "<Workflow>\(filter)<OperationRule>\(rule)</OperationRule>\(result)</Workflow>"
    }

    static func filter(_ criteria: String, _ combination: String = "AND") -> String {
        "<Filter><\(combination)>\(criteria)</\(combination)></Filter>"
    }

    static func outgoing(_ workflows: String) -> String { "<Outgoing><Sign>\(workflows)</Sign></Outgoing>" }
    static func incoming(_ workflows: String) -> String { "<Incoming><Verify>\(workflows)</Verify></Incoming>" }

    var text: String { "<SES>\n<Settings>\n\(settings)\n\(services)\n</Settings>\n\(rest)\n</SES>\n" }

    func load(environment: [String: String] = [:]) throws -> SESSettings {
        try Self.load(text, environment: environment)
    }

    static func load(_ text: String, environment: [String: String] = [:]) throws -> SESSettings {
        let scratch = try ScratchDirectory()
        return try SESConfiguration.load(
            path: try scratch.write(Array(text.utf8), to: "ses.xml"), environment: environment)
    }

    /// The faults as `LINE CODE` and their texts; empty when the file is good.
    var faults: [ConfigurationFault] {
        get throws { try Self.faults(text) }
    }

    static func faults(_ text: String) throws -> [ConfigurationFault] {
        do {
            _ = try load(text)
            return []
        } catch let error as ConfigurationFaults {
            return error.faults
        }
    }
}

extension ConfigurationFault {
    /// The text that a person reads behind the name of the file.
    var sentence: String { String(description.drop { $0 != ":" }.dropFirst()) }
}
