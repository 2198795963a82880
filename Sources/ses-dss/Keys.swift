public import ArgumentParser
public import CMSSignatures
import FoundationEssentials
import Glibc
import HostProcess
import ProgramCommands
import SigningServer

/// The keys of a site.
struct Key: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "List, add, request, renew and remove keys.",
        subcommands: [
            KeyList.self, KeyAdd.self, KeyRequest.self, KeyRenew.self, KeyRemove.self, KeyIssue.self, KeyRevoke.self,
            KeyCRL.self,
        ])
}

struct KeyList: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Tell whose the keys are, who may use them, and when they expire.")

    @OptionGroup var site: SiteOption
    @OptionGroup var format: FormatOption

    func perform() async throws(ProgramError) -> ExitStatus {
        let site = try site.site()
        let report = try SiteOption.attempt { () throws(SiteError) in try site.keyReport(now: SiteOption.now) }
        return try report.printed(asJSON: format.isJSON)
    }
}

struct Keys: DSSCommand {
    static let configuration = CommandConfiguration(commandName: "keys", abstract: "The same as key list.")

    @OptionGroup var list: KeyList

    func perform() async throws(ProgramError) -> ExitStatus { try await list.perform() }
}

struct KeyAdd: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a key from a file or in a token.",
        discussion: """
            FILE is PKCS #12 (PFX), PEM with the private key and its certificates, a certificate for a request that \
            waits (see key request), or a PKCS #11 URI (RFC 7512). The key is checked: whether certificate and key \
            belong together, chain, key usage and extended key usage, the address against the alias, strength, expiry. \
            A key from a file is kept as PKCS #12 with a password of its own, mode 0600.
            """)

    @Argument(help: "The file, or pkcs11:…") var file: String
    @OptionGroup var grant: GrantOptions
    @OptionGroup var password: PasswordOption
    @Option(help: "A file with certificates of issuers beside those in FILE.") var chain: String?
    @Option(help: "For a token: the PKCS #11 module.") var module: String?
    @Option(name: .customLong("pin-file"), help: "For a token: the file with the PIN (mode 0600).") var pinFile: String?
    @Option(help: "For a token: the file with the certificate; else that of the token is taken.")
    var certificate: String?
    @OptionGroup var after: ChangeOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        var addition = grant.addition
        guard !file.hasPrefix("pkcs11:") else {
            let settings = [("module", module), ("file", pinFile), ("certificate", certificate)]
                .compactMap { name, value in value.map { (name: name, value: KeyAdd.absolute($0)) } }
            let wishes = addition
            return try after.make { site throws(SiteError) in
                try site.addTokenKey(file, settings: settings, wishes)
            }
        }
        let material = try KeyMaterial(path: file) { () throws(ProgramError) in try password.password(for: file) }
        if let chain { addition.chain = try KeyMaterial(path: chain) { () throws(ProgramError) in nil } }
        let wishes = addition
        return try after.make { site throws(SiteError) in
            try site.addKey(material, wishes, now: SiteOption.now)
        }
    }

    /// Relative paths of the configuration are those of its directory, and those of a command those of its caller.
    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}

struct KeyRequest: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "request", abstract: "Make a key in the site and a certificate request (PKCS #10) for it.",
        discussion: """
            The request goes to standard output and stays in keys/pending. Give the certificate of the authority to key \
            add for a new alias, or to key renew for a key in use. For a key in use, its name, organisation and addresses \
            are the defaults.
            """)

    @Option(help: "The alias that the key will have.") var alias: String
    @Option(name: .customLong("for"), help: "The use: mail, document or organisation (both).") var purpose: KeyPurpose?
    @Option(help: "The kind of key: rsa-3072 or p-256.") var kind: PrivateKey.Kind = .rsa3072
    @Option(help: "The name of the person or unit (CN).") var name: String?
    @Option(help: "The organisation (O).") var organisation: String?
    @Option(help: "The country (C), two letters.") var country: String?
    @Option(help: "A mail address (repeat it for more); else the alias if it is one.") var address: [String] = []
    @Flag(help: "Put it in the place of a request that waits.") var replace = false
    @Flag(name: .customLong("same-key"), help: "Request it for the key in use instead of a new one.") var keepsKey =
        false
    @OptionGroup var site: SiteOption

    func perform() async throws(ProgramError) -> ExitStatus {
        var wishes = KeyRequestWishes(alias: alias)
        wishes.purpose = purpose
        wishes.kind = kind
        wishes.commonName = name
        wishes.organisation = organisation
        wishes.country = country
        wishes.addresses = address
        wishes.replaces = replace
        wishes.keepsKey = keepsKey
        let site = try site.site()
        let request = try SiteOption.attempt { [wishes] () throws(SiteError) in
            try site.becomeOwner()
            return try site.requestKey(wishes)
        }
        Console.writeError(
            """
            the key waits in \(request.keyPath), the request is \(request.requestPath)
            next: send the request to your authority, then ses-dss key add (or renew) with its certificate
            """)
        Console.write(String(request.pem.dropLast(request.pem.hasSuffix("\n") ? 1 : 0)))
        return .success
    }
}

struct KeyRenew: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Put a new certificate in the place of the present one.",
        discussion: """
            FILE is a certificate (with its chain) for the request that waits or for the key in use, or a whole key as \
            for key add. Without FILE the demonstration's authority issues the new certificate, provided that it issued \
            the present one. The former files go to keys/old.
            """)

    @Argument(help: "The alias of the key.") var alias: String
    @Argument(help: "The new certificate or key.") var file: String?
    @OptionGroup var password: PasswordOption
    @Flag(help: "Take it in spite of faults of its certificate.") var force = false
    @OptionGroup var after: ChangeOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        var material: KeyMaterial?
        if let file {
            material = try KeyMaterial(path: file) { () throws(ProgramError) in try password.password(for: file) }
        }
        let given = material
        return try after.make { site throws(SiteError) in
            try site.renewKey(alias, with: given, isForced: force, now: SiteOption.now)
        }
    }
}

struct KeyRemove: DSSCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Take a key out of the configuration; its files go to keys/old.")

    @Argument(help: "The alias of the key.") var alias: String
    @Flag(help: "Do not ask.") var yes = false
    @Flag(help: "Remove it although profiles name it, or it is the default.") var force = false
    @OptionGroup var after: ChangeOptions

    func perform() async throws(ProgramError) -> ExitStatus {
        let site = try after.site.site()
        let (clients, _) = try SiteOption.attempt { () throws(SiteError) in try site.ties(ofKey: alias) }
        let users = clients.isEmpty ? "No client may use it." : "It is granted to \(clients.joined(separator: ", "))."
        try Question.confirm("Remove the key \"\(alias)\"? \(users)", isConfirmed: yes)
        return try after.make(in: site) { site throws(SiteError) in try site.removeKey(alias, isForced: force) }
    }
}

extension KeyPurpose: ExpressibleByArgument {}
extension PrivateKey.Kind: ExpressibleByArgument {}
