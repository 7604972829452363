"""The maps of the simulated crash collector: its products, their ids and throttles, systems, crash types."""

GUID = "{lantern@example.org}"
POCKET_GUID = "{pocket@example.org}"

MAPS = {
    "products.csv": """product_name,sort,rapid_release_version,release_name,rapid_beta_version
Lantern,1,5.0,lantern,50.0
Pocket Lantern,2,5.0,**SPECIAL**,999.0
""",
    "product_productid_map.csv": f"""product_name,productid,rewrite,version_began
Lantern,{GUID},f,1.0
Pocket Lantern,{POCKET_GUID},t,1.0
""",
    "special_product_platforms.csv": """platform,repository,release_channel,release_name,product_name,min_version
android-arm,release,release,lantern,Pocket Lantern,40.0
""",
    "product_build_types.csv": """product_name,build_type,throttle
Lantern,release,0.1
Lantern,beta,1.0
Lantern,nightly,1.0
Pocket Lantern,release,0.5
""",
    "release_repositories.csv": "repository\nrelease\nbeta\ndev\n",
    "os_names.csv": "os_name,os_short_name\nWindows,win\nMac OS X,mac\nLinux,lin\nUnknown,unknown\n",
    "os_name_matches.csv": "os_name,match_string\nWindows,Windows%\nMac OS X,Mac%\nMac OS X,Darwin%\nLinux,Linux%\n",
    "windows_versions.csv": """windows_version_name,major_version,minor_version
Windows 7,6,1
Windows 10,10,0
""",
    "uptime_levels.csv": """uptime_level,uptime_string,min_uptime,max_uptime
1,< 1 min,00:00:00,00:01:00
2,1-5 min,00:01:00,00:05:00
3,5-15 min,00:05:00,00:15:00
4,15-60 min,00:15:00,01:00:00
5,> 1 hour,01:00:00,1 year
""",
    "crash_types.csv": """crash_type_id,crash_type,crash_type_short,process_type,has_hang_id,old_code,include_agg
1,Browser,crash,browser,False,C,True
2,OOP Plugin,oop,plugin,False,P,True
3,Hang Browser,hang-b,plugin,True,c,False
4,Hang Plugin,hang-p,browser,True,p,True
5,Content,content,content,False,T,True
""",
}
