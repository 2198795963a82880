import Foundation
import TestSupport

/// opendkim, once to sign for a domain and once to verify. No name server is asked: the public key is in a file.
final class DKIMFixture: Sendable {
    /// Addresses of the two milters, as Postfix names them.
    let signing: String
    let verifying: String
    private let scratch: ScratchDirectory
    private let programs: [RunningProgram]

    init(domain: String) async throws {
        try MailServers.requireRoot()
        scratch = try ScratchDirectory()
        let key = scratch.file("key.pem")
        for arguments in [
            ["genrsa", "-out", key, "2048"],
            ["rsa", "-in", key, "-pubout", "-outform", "DER", "-out", key + ".public"],
        ] {
            let made = try await RunningProgram.run("/usr/bin/openssl", arguments, asRoot: true)
            guard made.status == 0 else { throw HarnessError("openssl: \(made)") }
        }
        let published = Data(try TestMaterial.octets(key + ".public")).base64EncodedString()
        let keys = try scratch.write(
            Array("s1._domainkey.\(domain) v=DKIM1; k=rsa; p=\(published)\n".utf8), to: "published")
        let ports = [try DSSFixture.deadPort(), try DSSFixture.deadPort()]
        let common = "Syslog no\nRequireSafeKeys no\nTestPublicKeys \(keys)\n"
        let sign = """
            Mode s
            Socket inet:\(ports[0])@127.0.0.1
            Domain \(domain)
            Selector s1
            KeyFile \(key)
            Canonicalization relaxed/simple

            """
        // Everything comes from the loopback here, which opendkim would take for its own network.
        let inner = try scratch.write(Array("192.0.2.1\n".utf8), to: "internal")
        let verify = """
            Mode v
            Socket inet:\(ports[1])@127.0.0.1
            InternalHosts \(inner)
            AuthservID dkim.test
            AlwaysAddARHeader yes

            """
        var programs: [RunningProgram] = []
        for (name, text) in [("sign", sign), ("verify", verify)] {
            let configuration = try scratch.write(Array((common + text).utf8), to: name + ".conf")
            let pid = scratch.file(name + ".pid")
            programs.append(
                try RunningProgram(
                    try MailServers.program("/usr/sbin/opendkim"), ["-f", "-x", configuration, "-P", pid], asRoot: true)
            )
        }
        for (program, port) in zip(programs, ports) {
            try await MailServers.listening(on: port, by: program, "opendkim")
        }
        self.programs = programs
        signing = "inet:127.0.0.1:\(ports[0])"
        verifying = "inet:127.0.0.1:\(ports[1])"
    }
}
