// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A layer's target; the list below is ordered from the ground up, and imports go down only.
func layer(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// Linked with what makes a program small and quick to start: like functions once, the addresses to be fixed at the
/// start in a short form, and no names for others to link against. It still runs at any address.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, swiftSettings: strict,
        linkerSettings: [
            .unsafeFlags(
                [
                    "-use-ld=lld", "-Xlinker", "--icf=safe", "-Xlinker", "-O2", "-Xlinker", "-z", "-Xlinker",
                    "pack-relative-relocs", "-Xlinker", "--no-export-dynamic",
                ], .when(configuration: .release))
        ])
}

/// A program that a mail server starts for each message: linked to start fast, with all libraries in it and at a fixed
/// address. (A static program at any address ends at its start with the run path that the package manager gives it.)
func lean(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, swiftSettings: strict,
        linkerSettings: [
            .unsafeFlags(
                ["-static-executable", "-use-ld=lld", "-lunistring", "-Xlinker", "--gc-sections", "-Xlinker", "-O1"],
                .when(configuration: .release))
        ])
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.target(name: name), "TestSupport"] + dependencies, swiftSettings: strict)
}

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let http: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let https: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")

let package = Package(
    name: "ses",
    products: [
        .executable(name: "ses", targets: ["ses"]),
        .executable(name: "ses-drop", targets: ["ses-drop"]),
        .executable(name: "ses-lmtp", targets: ["ses-lmtp"]),
        .executable(name: "ses-relay", targets: ["ses-relay"]),
        .executable(name: "ses-dss", targets: ["ses-dss"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Without traits: neither full Foundation, which makes the program twice as large, nor swift-configuration.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    ],
    targets: [
        // C libraries: a module map and a shim each, imported by exactly one target. CIDN2 and CICU only compute: they
        // map text by tables of their own, without locale, file or network. They are the C libraries that ground imports.
        // CCurl has no pkgConfig: libcurl is loaded when it is needed, not linked.
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CInotifyTools", providers: [.apt(["libinotifytools0-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPKCS11", pkgConfig: "p11-kit-1", providers: [.apt(["libp11-kit-dev"])]),
        .systemLibrary(name: "CHarfBuzz", pkgConfig: "harfbuzz-subset", providers: [.apt(["libharfbuzz-dev"])]),
        .systemLibrary(name: "CFontconfig", pkgConfig: "fontconfig", providers: [.apt(["libfontconfig-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CProcess"),
        .systemLibrary(name: "CIDN2", pkgConfig: "libidn2", providers: [.apt(["libidn2-dev"])]),
        .systemLibrary(name: "CICU", pkgConfig: "icu-i18n", providers: [.apt(["libicu-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CXmlSec", pkgConfig: "xmlsec1-openssl", providers: [.apt(["libxmlsec1-dev"])]),

        // Ground: values over bytes, no I/O.
        layer("Octets"),
        layer("CivilTime"),
        layer("Explanations"),
        layer("DomainNames", ["CIDN2"]),
        layer("LookAlikes", ["CICU"]),
        layer("MailEnvelope", ["Octets", "DomainNames"]),
        layer("InternetMessage", ["Octets", "CivilTime", "DomainNames", "LookAlikes", "MailEnvelope"]),
        layer("DSSProtocol", ["Octets"]),
        layer("PDFStructure", ["Octets"]),
        layer("DocumentKinds", ["Octets", "InternetMessage"]),

        // Core: what is decided and what comes of it, no I/O.
        layer("Workflows", ["DomainNames", "InternetMessage", "DocumentKinds"]),
        layer("Composition", ["Octets", "DomainNames", "InternetMessage", "LookAlikes", "MailEnvelope"]),
        layer(
            "Processing",
            [
                "Octets", "DomainNames", "Explanations", "MailEnvelope", "InternetMessage", "DSSProtocol",
                "DocumentKinds", "Workflows", "Composition",
            ]),
        layer("Delivery", ["Octets", "DomainNames", "InternetMessage"]),
        layer("LMTP", ["MailEnvelope"]),

        // Edges: each owns one kind of contact with the outside.
        layer("HostProcess", ["Octets", "CivilTime", "CProcess"]),
        layer("Workers", ["HostProcess"]),
        layer("Monitoring", ["HostProcess", log]),
        layer("Spool", ["Octets", "CivilTime", "CLinux"]),
        layer("SpoolWatch", ["CInotifyTools"]),
        layer("JournalIndex", ["CivilTime", "CSQLite", "CZlib"]),
        layer("XMLReading", ["Octets", "CLibXML2"]),
        layer(
            "MessageInspection",
            ["Octets", "InternetMessage", "DocumentKinds", "PDFStructure", "Workflows", "XMLReading"]),
        layer(
            "SESConfiguration",
            ["Octets", "DomainNames", "InternetMessage", "DSSProtocol", "Workflows", "Delivery", "XMLReading"]),
        layer("DSSXML", ["Octets", "DSSProtocol", "DocumentKinds", "XMLReading"]),
        layer("CurlTransfer", ["Octets", "HostProcess", "CCurl"]),
        layer(
            "DSSClient",
            ["Octets", "Explanations", "InternetMessage", "DSSProtocol", "DSSXML", "CurlTransfer", "Processing"]),
        layer("MailExchange", ["HostProcess", "CAres"]),
        layer("SMTPClient", ["Octets", "InternetMessage", "CurlTransfer", "MailExchange"]),
        layer("CMSSignatures", ["Octets", "DomainNames", "Explanations", "COpenSSL"]),
        layer("KeyTokens", ["Octets", "CPKCS11"]),
        layer("XMLSignatures", ["Octets", "CivilTime", "DocumentKinds", "CXmlSec"]),
        layer("FontEmbedding", ["Octets", "CHarfBuzz", "CFontconfig"]),
        layer("ImageReading", ["Octets", "CPNG"]),
        layer("PDFSignatures", ["Octets", "CivilTime", "PDFStructure", "FontEmbedding", "ImageReading"]),
        layer(
            "SigningServer",
            [
                "Octets", "DomainNames", "Explanations", "InternetMessage", "DSSProtocol", "DocumentKinds", "DSSXML",
                "XMLReading", "CMSSignatures", "KeyTokens", "ImageReading", "PDFSignatures", "XMLSignatures",
                "CurlTransfer", "HostProcess", "Monitoring", "Workers", log, lifecycle, signals, http, https,
            ]),

        // Top: composition, argument parsing and exit codes.
        layer("MailDrop", ["Octets", "MailEnvelope", "HostProcess", "Spool"]),
        layer("LMTPServer", ["Octets", "MailEnvelope", "LMTP", "HostProcess", "Spool", "MailDrop"]),
        layer(
            "ProgramLife",
            [
                "Octets", "HostProcess", "Monitoring", "Workers", "Spool", "SESConfiguration", log, lifecycle, signals,
                heap,
            ]),
        layer(
            "HouseStatus",
            [
                "Octets", "HostProcess", "Monitoring", "Spool", "SESConfiguration", "CMSSignatures", "ProgramLife",
            ]),
        layer(
            "Probes",
            [
                "Octets", "Explanations", "InternetMessage", "DSSProtocol", "Workflows", "Processing", "Delivery",
                "HostProcess", "SESConfiguration", "CurlTransfer", "DSSClient", "MailExchange", "SMTPClient",
                "CMSSignatures",
                "HouseStatus",
            ]),
        layer(
            "SESProgram",
            [
                "Octets", "MailEnvelope", "InternetMessage", "DSSProtocol", "DocumentKinds", "Workflows", "Composition",
                "Processing", "HostProcess", "Workers", "Spool", "SpoolWatch", "MessageInspection", "SESConfiguration",
                "DSSXML", "DSSClient", "CMSSignatures", "PDFSignatures", "XMLSignatures", "Monitoring", "ProgramLife",
                "HouseStatus", "JournalIndex", "Probes", "Explanations", log, lifecycle, deque,
            ]),
        layer(
            "RelayProgram",
            [
                "Octets", "DomainNames", "MailEnvelope", "InternetMessage", "Composition", "Delivery", "HostProcess",
                "Workers", "Spool", "SpoolWatch", "SESConfiguration", "CurlTransfer", "MailExchange", "SMTPClient",
                "Monitoring", "ProgramLife", "HouseStatus", "Probes", log, lifecycle, deque,
            ]),
        layer(
            "Steering",
            [
                "ProgramLife", "HostProcess", "Octets", "MailEnvelope", "InternetMessage", "Workflows", "Composition",
                "Delivery", "Spool", "SESConfiguration", "CivilTime", "JournalIndex",
            ]),
        layer(
            "Provisioning",
            [
                "Octets", "MailEnvelope", "InternetMessage", "Workflows", "HostProcess", "Workers", "Monitoring",
                "Spool",
                "XMLReading", "SESConfiguration", "CMSSignatures", "MailDrop", "ProgramLife", "HouseStatus", "Probes",
                "SESProgram", "JournalIndex",
            ]),
        layer("ProgramCommands", ["HostProcess", "Monitoring", arguments]),
        program(
            "ses",
            [
                "SESProgram", "HouseStatus", "Steering", "Provisioning", "MailDrop", "ProgramLife", "ProgramCommands",
                "Monitoring",
                "HostProcess", "Octets", "Spool", "Workflows",
                arguments,
            ]),
        lean("ses-drop", ["MailDrop"]),
        program("ses-lmtp", ["LMTPServer", "HostProcess", "Spool", arguments]),
        program(
            "ses-relay",
            [
                "RelayProgram", "HouseStatus", "ProgramLife", "ProgramCommands", "Monitoring", "HostProcess", arguments,
            ]),
        program(
            "ses-dss",
            [
                "SigningServer", "CMSSignatures", "Octets", "ProgramCommands", "Monitoring", "HostProcess", arguments,
                log,
            ]),

        // Tests mirror the targets; EndToEndTests run the built programs on real spools, FaultTests on
        // machines at fault.
        .target(name: "TestSupport", dependencies: [], path: "Tests/TestSupport", swiftSettings: strict),
        tests("Octets"),
        tests("CivilTime"),
        tests("DomainNames"),
        tests("LookAlikes"),
        tests("Explanations"),
        tests("MailEnvelope", ["InternetMessage"]),
        tests("InternetMessage"),
        tests("DSSProtocol"),
        tests("PDFStructure", ["Octets"]),
        tests("DocumentKinds", ["Octets"]),
        tests("Workflows", ["DocumentKinds"]),
        tests("Composition"),
        tests("Processing"),
        tests("Delivery", ["InternetMessage"]),
        tests("HostProcess", ["Octets"]),
        tests("Monitoring", ["HostProcess", log]),
        tests("Workers"),
        tests("Spool", ["Octets"]),
        tests("SpoolWatch"),
        tests("JournalIndex"),
        tests("XMLReading"),
        tests("MessageInspection"),
        tests("SESConfiguration", ["Delivery"]),
        tests("DSSXML"),
        tests("CurlTransfer"),
        tests("DSSClient"),
        tests("MailExchange"),
        tests("SMTPClient"),
        tests("CMSSignatures"),
        tests("XMLSignatures", ["Octets", "CMSSignatures"]),
        tests("FontEmbedding", ["Octets"]),
        tests("ImageReading", ["Octets", "PDFStructure"]),
        tests("PDFSignatures", ["Octets", "CMSSignatures", "PDFStructure", "FontEmbedding", "ImageReading"]),
        tests("SigningServer", ["HostProcess"]),
        tests("ProgramLife", ["HostProcess", "Monitoring", "Workers", "Spool", log]),
        tests(
            "RelayProgram",
            ["Octets", "InternetMessage", "Delivery", "Monitoring", "ProgramLife", "SESConfiguration", "Spool", log]),
        tests("SESProgram", ["Monitoring", "ProgramLife", "ProgramCommands", "Workers"]),
        tests("HouseStatus", ["HostProcess", "Monitoring", "ProgramLife", "Spool"]),
        tests("Provisioning", ["Octets", "CMSSignatures", "SESConfiguration"]),
        tests("MailDrop", ["MailEnvelope", "HostProcess", "Spool"]),
        tests("LMTP", ["MailEnvelope"]),
        .testTarget(name: "FaultTests", dependencies: ["TestSupport"], swiftSettings: strict),
        .testTarget(name: "EndToEndTests", dependencies: ["TestSupport"], swiftSettings: strict),
    ]
)

// Fuzz targets, each a program; scripts/fuzz sets the variable. Nothing else is built with them.
if Context.environment["SES_FUZZ"] != nil {
    func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
        .executableTarget(
            name: name, dependencies: ["Octets", "Fuzzing"] + dependencies, path: "Tests/Fuzz/" + name,
            exclude: ["dictionary"], swiftSettings: strict)
    }
    package.targets += [
        .target(name: "Fuzzing", dependencies: ["Octets"], path: "Tests/Fuzz/Fuzzing", swiftSettings: strict),
        fuzz("fuzz-pdf", ["InternetMessage", "MessageInspection", "Workflows", "PDFSignatures"]),
        fuzz("fuzz-xml-answer", ["DSSProtocol", "DSSXML"]),
        fuzz(
            "fuzz-xml-document",
            ["InternetMessage", "MessageInspection", "Workflows", "CMSSignatures", "DocumentKinds", "XMLSignatures"]),
        fuzz("fuzz-banner", ["InternetMessage", "Composition"]),
        fuzz("fuzz-mail", ["InternetMessage", "MessageInspection", "Workflows", "Composition"]),
        fuzz("fuzz-cms", ["CMSSignatures"]),
        fuzz("fuzz-sign-request", ["DSSXML"]),
        fuzz("fuzz-header", ["InternetMessage", "MessageInspection", "Composition"]),
        fuzz("fuzz-address", ["InternetMessage"]),
        fuzz("fuzz-name", ["InternetMessage", "MessageInspection", "Delivery", "Spool"]),
        fuzz("fuzz-configuration", ["SESConfiguration"]),
        fuzz("fuzz-smtp-reply", ["SMTPClient"]),
        fuzz("fuzz-lmtp", ["LMTP"]),
    ]
}

// scripts/mutants builds the tests of the spool and the relay, and what they need.
if Context.environment["SES_MUTANTS"] != nil {
    let wanted = ["SpoolTests", "RelayProgramTests", "DeliveryTests"]
    package.targets.removeAll { $0.type == .test && !wanted.contains($0.name) }
}
